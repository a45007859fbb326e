import type { Arguments } from './command.ts'
import type { Screen } from './screen.ts'

export interface Output {
  /** For people. */
  text: string
  /** As JSON. Field names stay stable. */
  data: unknown
}

export const JSON_OPTION = { '--json': 'Print JSON' }

/** With --json the data, else the text. */
export function print(out: Screen, { flags }: Pick<Arguments, 'flags'>, { text, data }: Output): void {
  out.write(flags.has('json') ? jsonText(data) : text)
}

export function jsonText(data: unknown): string {
  const text = JSON.stringify(
    data,
    (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value),
    2,
  )
  return `${text}\n`
}
