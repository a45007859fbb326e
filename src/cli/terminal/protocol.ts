import type { Environment } from '../../config/environment.ts'
import { UsageError } from '../command.ts'
import type { Screen } from '../screen.ts'

/** A graphics protocol, or colored half blocks. */
export const IMAGE_PROTOCOLS = ['kitty', 'iterm', 'sixel', 'blocks', 'none'] as const

export type ImageProtocol = (typeof IMAGE_PROTOCOLS)[number]

export const IMAGES_OPTION = {
  '--images <protocol>': 'kitty, iterm, sixel, blocks or none (default: what the terminal supports)',
}

const BY_TERM: readonly [RegExp, ImageProtocol][] = [
  // sw.kovidgoyal.net/kitty/graphics-protocol/
  [/^xterm-(?:kitty|ghostty)$/, 'kitty'],
  // Terminals that always support sixel: www.arewesixelyet.com
  [/^(?:foot|mlterm|contour|yaft)\b/, 'sixel'],
]

/** iterm2.com/documentation-images.html, also implemented by WezTerm and mintty. */
const BY_PROGRAM: Readonly<Record<string, ImageProtocol>> = {
  ghostty: 'kitty',
  'iTerm.app': 'iterm',
  iTerm2: 'iterm',
  WezTerm: 'iterm',
  mintty: 'iterm',
}

/** By the environment only: a late reply of the terminal would reach the next prompt. */
export function detectProtocol(
  env: Environment,
  { isTerminal, isTruecolor }: Pick<Screen, 'isTerminal' | 'isTruecolor'>,
): ImageProtocol {
  if (!isTerminal) return 'none'
  const fallback = isTruecolor ? 'blocks' : 'none'
  const term = env['TERM'] ?? ''
  // Multiplexers pass on the outer terminal's variables, but by default no graphics.
  if (env['TMUX'] || env['STY'] || /^(?:screen|tmux)/.test(term)) return fallback
  const byTerm = BY_TERM.find(([pattern]) => pattern.test(term))?.[1]
  // SSH passes on LC_TERMINAL, but not TERM_PROGRAM.
  return byTerm ?? BY_PROGRAM[env['TERM_PROGRAM'] ?? env['LC_TERMINAL'] ?? ''] ?? fallback
}

/** Throws UsageError for an unknown protocol. Outside of a terminal: none. */
export function chooseProtocol(
  option: string | undefined,
  env: Environment,
  screen: Pick<Screen, 'isTerminal' | 'isTruecolor'>,
): ImageProtocol {
  if (option === undefined) return detectProtocol(env, screen)
  const chosen = IMAGE_PROTOCOLS.find((one) => one === option)
  if (chosen === undefined)
    throw new UsageError(`--images is "${option}"; it must be one of ${IMAGE_PROTOCOLS.join(', ')}.`)
  return screen.isTerminal ? chosen : 'none'
}
