import process from 'node:process'
import { systemClock, type Clock } from '../clock.ts'

/** The wishes to stop that reach this process. */
export interface Signals {
  /** Resolves when SIGINT or SIGTERM comes for the first time; never when none does. */
  first: Promise<void>
  /** Resolves when another one follows. */
  second: Promise<void>
  /** Gives the signals back to Node, which then ends the process at the next one. */
  close(): void
}

// Under `npm start`, Ctrl-C reaches us twice: from the terminal, and forwarded by npm
// (https://github.com/npm/run-script, signal-manager.js). One press must not count as two.
const SAME_PRESS_MS = 300

/** Takes SIGINT and SIGTERM over until `close()`. */
export function watchSignals(clock: Clock = systemClock): Signals {
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  let firstAt: number | undefined
  const receive = () => {
    if (firstAt !== undefined && clock.now() - firstAt > SAME_PRESS_MS) second.resolve()
    firstAt ??= clock.now()
    first.resolve()
  }
  process.on('SIGINT', receive).on('SIGTERM', receive)
  return {
    first: first.promise,
    second: second.promise,
    close: () => void process.off('SIGINT', receive).off('SIGTERM', receive),
  }
}
