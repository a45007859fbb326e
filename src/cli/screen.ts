import { styleText } from 'node:util'
import type { Environment } from '../config/environment.ts'

export type Format = Parameters<typeof styleText>[0]

/** A text in a format, or the text alone where colours have no place. */
export type Paint = (format: Format, text: string) => string

/** Where a command writes to. */
export interface Screen {
  write(text: string): void
  paint: Paint
  /** True when a person is looking and lines can be drawn over. */
  readonly isTerminal: boolean
  /** True when it shows 16 million colours, and may. */
  readonly isTruecolor: boolean
  /** In characters, as of now. */
  size(): { columns: number; rows: number }
}

/** The screen behind a stream. Colours only on a terminal, and never with NO_COLOR (https://no-color.org). */
export function openScreen(stream: NodeJS.WriteStream, env: Environment): Screen {
  const isTerminal = stream.isTTY && env['TERM'] !== 'dumb'
  const isColorful = isTerminal && !env['NO_COLOR']
  return {
    write: (text) => void stream.write(text),
    paint: isColorful ? (format, text) => styleText(format, text, { validateStream: false }) : plain,
    isTerminal,
    isTruecolor: isColorful && stream.getColorDepth(env) === 24,
    size: () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 }),
  }
}

/** No format at all. */
export function plain(_format: Format, text: string): string {
  return text
}
