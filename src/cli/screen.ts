import { styleText } from 'node:util'
import type { Environment } from '../config/environment.ts'

export type Format = Parameters<typeof styleText>[0]

/** Unchanged text where colors are off. */
export type Paint = (format: Format, text: string) => string

export interface Screen {
  write(text: string): void
  paint: Paint
  /** Can redraw lines. */
  readonly isTerminal: boolean
  /** 24-bit colors. */
  readonly isTruecolor: boolean
  /** In characters, now. */
  size(): { columns: number; rows: number }
}

/** Colors on a terminal only, and not with NO_COLOR (no-color.org). */
export function openScreen(stream: NodeJS.WriteStream, env: Environment): Screen {
  const isTerminal = stream.isTTY && env['TERM'] !== 'dumb'
  const isColorful = isTerminal && !env['NO_COLOR']
  return {
    write: (text) => void stream.write(text),
    paint: isColorful ? (format, text) => styleText(format, text, { validateStream: false }) : plain,
    isTerminal,
    isTruecolor: isColorful && stream.getColorDepth(env) === 24,
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
  }
}

/** Without output: for --json. */
export function silent(screen: Screen): Screen {
  return { ...screen, write: () => {}, isTerminal: false }
}

export function plain(_format: Format, text: string): string {
  return text
}

export function warn(sentences: readonly string[], err: Screen): void {
  for (const sentence of sentences) err.write(`${err.paint('yellow', 'Warning:')} ${sentence}\n`)
}
