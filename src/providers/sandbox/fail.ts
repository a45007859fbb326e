import { ProviderError } from '../error.ts'
import type { Call } from '../provider.ts'
import { SCENARIO_FAILURES, type Scenario } from './scenario.ts'
import { wait } from './wait.ts'

/** Node's limit, 24.8 days: longer than any deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Reports the phases of a scenario, then throws its failure as ProviderError. */
export async function fail(
  scenario: Exclude<Scenario, 'ok'>,
  durationMs: number,
  call: Call,
): Promise<never> {
  const { phase, failure } = SCENARIO_FAILURES[scenario]
  if (phase === 'INTENT') throw new ProviderError(failure)
  call.onWire('DISPATCHED')
  if (scenario === 'stall') await wait(MAX_TIMER_MS, call)
  // A refusal is quick; a connection is lost halfway.
  await wait(durationMs * (scenario === 'vanish' ? 0.5 : 0.1), call)
  if (phase === 'DISPATCHED') throw new ProviderError(failure)
  const providerRequestId = requestIdOf(call)
  call.onWire('HEADERS', { httpStatus: failure.httpStatus ?? 200, providerRequestId })
  call.onWire('BODY_DONE')
  throw new ProviderError({ ...failure, providerRequestId })
}

/** In place of an upstream's `x-request-id`. */
export function requestIdOf(call: Call): string {
  return `sandbox-${call.clientRef}`
}
