import type { Screen } from './screen.ts'

/** One line about something that goes on all the same. */
export function warn(sentence: string, err: Screen): void {
  err.write(`${err.paint('yellow', 'Warning:')} ${sentence}\n`)
}
