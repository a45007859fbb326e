// The sandbox plays an upstream, so it alone of the providers waits by itself. An abort by the engine ends every wait;
// the request was sent by then, so its outcome is unknown.
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../error.ts'
import type { Call } from '../provider.ts'

/** Waits `durationMs`. Throws ProviderError OUTCOME_UNKNOWN when the call is aborted. */
export async function wait(durationMs: number, call: Call): Promise<void> {
  try {
    if (durationMs > 0) await pause(durationMs, undefined, { signal: call.signal })
  } catch (cause) {
    throw outcomeUnknown(cause)
  }
  if (call.signal.aborted) throw outcomeUnknown(call.signal.reason)
}

/** The result of `work`. Throws ProviderError OUTCOME_UNKNOWN when the call is aborted first; the work then ends unused. */
export async function untilAborted<T>(work: Promise<T>, call: Call): Promise<T> {
  if (call.signal.aborted) throw outcomeUnknown(call.signal.reason)
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(outcomeUnknown(call.signal.reason))
  call.signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    call.signal.removeEventListener('abort', stop)
  }
}

function outcomeUnknown(cause: unknown): ProviderError {
  return new ProviderError({
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message: 'The call to the sandbox was stopped before it answered. Whether an image was made is unknown.',
    charged: 'UNKNOWN',
    cause,
  })
}
