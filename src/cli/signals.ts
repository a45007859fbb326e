import process from 'node:process'
import { systemClock, type Clock } from '../clock.ts'

/** The wishes to stop that reach this process. */
export interface Signals {
  /** Resolves when SIGINT or SIGTERM comes for the first time; never when none does. */
  first: Promise<void>
  /** Resolves when another one follows. */
  second: Promise<void>
  /** Resolves when somebody insists, a while after the second. */
  third: Promise<void>
  /** Gives the signals back to Node, which then ends the process at the next one. */
  close(): void
}

// Under `npm start`, Ctrl-C reaches us twice: from the terminal, and forwarded by npm
// (https://github.com/npm/run-script, signal-manager.js). One press must not count as two.
const SAME_PRESS_MS = 300

// Whoever presses again and again in a hurry means the same thing. Later, it means that nothing has happened.
const INSISTING_MS = 2000

/** Takes SIGINT and SIGTERM over until `close()`. */
export function watchSignals(clock: Clock = systemClock): Signals {
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  const third = Promise.withResolvers<void>()
  let firstAt: number | undefined
  let secondAt: number | undefined
  const receive = () => {
    const now = clock.now()
    if (firstAt === undefined) {
      firstAt = now
      first.resolve()
    } else if (secondAt === undefined) {
      if (now - firstAt <= SAME_PRESS_MS) return
      secondAt = now
      second.resolve()
    } else if (now - secondAt > INSISTING_MS) {
      third.resolve()
    }
  }
  process.on('SIGINT', receive).on('SIGTERM', receive)
  return {
    first: first.promise,
    second: second.promise,
    third: third.promise,
    close: () => void process.off('SIGINT', receive).off('SIGTERM', receive),
  }
}
