import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../error.ts'
import type { Call } from '../provider.ts'
import { SCENARIO_FAILURES, type Scenario } from './scenario.ts'

/** The maximum of a Node timer, 24.8 days: longer than any deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Reports the phases of a failure scenario and throws its failure. */
export async function fail(
  scenario: Exclude<Scenario, 'ok'>,
  durationMs: number,
  call: Call,
): Promise<never> {
  const { phase, failure } = SCENARIO_FAILURES[scenario]
  if (phase === 'INTENT') throw new ProviderError(failure)
  call.onWire('DISPATCHED')
  if (scenario === 'stall') await wait(MAX_TIMER_MS, call)
  // Refusals are quick.
  await wait(durationMs * (scenario === 'vanish' ? 0.5 : 0.1), call)
  if (phase === 'DISPATCHED') throw new ProviderError(failure)
  const providerRequestId = requestId(call)
  call.onWire('HEADERS', { httpStatus: failure.httpStatus ?? 200, providerRequestId })
  call.onWire('BODY_DONE')
  throw new ProviderError({ ...failure, providerRequestId })
}

/** As from the header `x-request-id`. */
export function requestId(call: Call): string {
  return `sandbox-${call.clientRef}`
}

/** Throws ProviderError `lost` when the engine aborts: the request has left already. */
export async function wait(durationMs: number, call: Call): Promise<void> {
  try {
    if (durationMs > 0) await pause(durationMs, undefined, { signal: call.signal })
  } catch (cause) {
    throw lostAtDeadline(cause)
  }
  if (call.signal.aborted) throw lostAtDeadline(call.signal.reason)
}

/** The result of `work`. Throws ProviderError `lost` when the engine aborts first. */
export async function orStop<T>(work: Promise<T>, call: Call): Promise<T> {
  if (call.signal.aborted) throw lostAtDeadline(call.signal.reason)
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(lostAtDeadline(call.signal.reason))
  call.signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    call.signal.removeEventListener('abort', stop)
  }
}

function lostAtDeadline(cause: unknown): ProviderError {
  return new ProviderError({
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message: 'The call to the sandbox was stopped before it answered. Whether an image was made is unknown.',
    charged: 'UNKNOWN',
    cause,
  })
}
