import { systemClock } from '../clock.ts'
import { isFinished, type TaskStatus } from '../domain.ts'
import { findRefusal } from './graphql.ts'

export interface ResumableEvent {
  cursor: string
  task: { status: TaskStatus }
  /** Of TaskFinished. */
  status?: TaskStatus | undefined
}

export interface Retries {
  /** In a row. */
  max: number
  /** Doubled after each, up to `maxDelayMs`. */
  delayMs: number
  maxDelayMs: number
}

/** The server stops or is overloaded. */
const TRANSIENT = new Set<string | undefined>(['SERVICE_UNAVAILABLE', 'SHUTTING_DOWN'])

/**
 * Events of a task until it ends. Reconnects after the last cursor. Throws OperationRefused, and the
 * connection's error after `retries.max` failures in a row.
 */
export async function* resumeUntilEnd<Event extends ResumableEvent>(
  subscribe: (after: string | undefined) => AsyncIterable<Event>,
  options: {
    retries: Retries
    signal: AbortSignal
    /** Called before each wait. */
    onDisconnect?: () => void
    toError?: (thrown: unknown) => Error
  },
): AsyncGenerator<Event> {
  const { retries, signal, onDisconnect = () => {}, toError = asError } = options
  let after: string | undefined
  let hasEnded = false
  for (let failures = 0; !signal.aborted;) {
    try {
      for await (const event of subscribe(after)) {
        failures = 0
        after = event.cursor
        hasEnded = isFinished(event.status ?? event.task.status)
        yield event
      }
      if (hasEnded) return
      // A server's shutdown completes its streams.
      throw new Error('The server ended the stream before the task ended.')
    } catch (error) {
      const refusal = findRefusal(error)
      if (refusal && !TRANSIENT.has(refusal.code)) throw refusal
      if (++failures > retries.max) throw refusal ?? toError(error)
      onDisconnect()
      await systemClock.sleep(Math.min(retries.delayMs * 2 ** (failures - 1), retries.maxDelayMs), signal)
    }
  }
  throw signal.reason
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
