import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../error.ts'
import type { Call } from '../provider.ts'
import { SCENARIO_FAILURES, type Scenario } from './scenario.ts'

/** The longest that a Node timer can wait, 24.8 days: longer than any deadline. */
const FOREVER_MS = 2 ** 31 - 1

/** Goes as far as this scenario lets a request get, and throws its failure. */
export async function endBadly(
  scenario: Exclude<Scenario, 'ok'>,
  durationMs: number,
  call: Call,
): Promise<never> {
  const { phase, failure } = SCENARIO_FAILURES[scenario]
  if (phase === 'INTENT') throw new ProviderError(failure)
  call.onWire('DISPATCHED')
  if (scenario === 'stall') await wait(FOREVER_MS, call)
  // A refusal is quick, while a connection is lost on the way.
  await wait(durationMs * (scenario === 'vanish' ? 0.5 : 0.1), call)
  if (phase === 'DISPATCHED') throw new ProviderError(failure)
  const providerRequestId = requestId(call)
  call.onWire('HEADERS', { httpStatus: failure.httpStatus ?? 200, providerRequestId })
  call.onWire('BODY_DONE')
  throw new ProviderError({ ...failure, providerRequestId })
}

/** What an upstream's `x-request-id` would say. */
export function requestId(call: Call): string {
  return `sandbox-${call.clientRef}`
}

/** Waits; when the engine aborts meanwhile, the outcome is lost, since the request has left already. */
export async function wait(durationMs: number, call: Call): Promise<void> {
  try {
    if (durationMs > 0) await pause(durationMs, undefined, { signal: call.signal })
  } catch (cause) {
    throw lostAtDeadline(cause)
  }
  if (call.signal.aborted) throw lostAtDeadline(call.signal.reason)
}

/** The result of some work, unless the engine aborts first: the work then ends unheard. */
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
    message: 'The sandbox was stopped before it had answered; whether it painted cannot be known.',
    charged: 'UNKNOWN',
    cause,
  })
}
