import process from 'node:process'
import { systemClock, type Clock } from '../clock.ts'
import { EXIT } from './command.ts'
import type { Screen } from './screen.ts'

export interface Signals {
  first: Promise<void>
  second: Promise<void>
  /** At least two seconds after the second. */
  third: Promise<void>
  /** Restores the default: ending the process. */
  close(): void
}

// Under npm, one Ctrl-C arrives twice: from terminal and npm (see serve.ts).
const SAME_PRESS_MS = 300
// Quick repetitions mean the same; a later signal means that the process hangs.
const INSIST_MS = 2000

/** SIGINT and SIGTERM, until `close()`. */
export function watchSignals(clock: Clock = systemClock): Signals {
  const [first, second, third] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ]
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
    } else if (now - secondAt > INSIST_MS) {
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

/** Resolves to the exit code of `work`, or at the first signal. The second ends the process. */
export async function untilInterrupted(
  signals: Signals,
  err: Screen,
  work: Promise<number>,
  message = 'Interrupted. Requests that were sent may still be charged.',
): Promise<number> {
  void signals.second.then(() => process.exit(EXIT.interrupted))
  const interrupted = signals.first.then(() => {
    err.write(`\n${message}\n`)
    return EXIT.interrupted
  })
  return Promise.race([work, interrupted])
}
