import type { WirePhase } from '../../domain.ts'
import { ProviderError, VERDICTS, type Failure, type FailureVerdict } from '../error.ts'
import type { Call } from '../provider.ts'
import { wait } from './wait.ts'

export const SCENARIOS = [
  'ok',
  'moderation',
  'busy',
  'quota',
  'reject',
  'broken',
  'unreached',
  'stall',
  'vanish',
] as const

export type Scenario = (typeof SCENARIOS)[number]

/** Removed from the prompt before painting. See docs/getting-started.md. */
export const SANDBOX_DIRECTIVES = [...SCENARIOS, 'slow', 'duration=200'].map((name) => `[sandbox:${name}]`)

const DIRECTIVE = /\s?\[sandbox:(?:duration=(\d{1,6})|([a-z]+))\]/giu
const SLOW_MS = 30_000
const MAX_DURATION_MS = 600_000

/** The last of a kind applies. Unknown ones stay in the prompt. */
export function readDirections(
  prompt: string,
  configured: { scenario: Scenario; durationMs: number },
): { scenario: Scenario; durationMs: number; prompt: string } {
  let { scenario, durationMs } = configured
  const rest = prompt.replace(DIRECTIVE, (whole, milliseconds?: string, word?: string) => {
    const name = word?.toLowerCase()
    const named = SCENARIOS.find((candidate) => candidate === name)
    if (milliseconds) durationMs = Math.min(MAX_DURATION_MS, Number(milliseconds))
    else if (name === 'slow') durationMs = SLOW_MS
    else if (named) scenario = named
    else return whole
    return ''
  })
  return { scenario, durationMs, prompt: rest.trim() }
}

export interface ScenarioFailure {
  phase: WirePhase
  failure: Failure
}

const { BLOCKED, BUSY, QUOTA, REJECTED, BROKEN, UNREACHED, LOST } = VERDICTS

export const SCENARIO_FAILURES: Readonly<Record<Exclude<Scenario, 'ok'>, ScenarioFailure>> = {
  moderation: answered(400, BLOCKED, 'The sandbox blocked the prompt as unsafe (scenario moderation).'),
  busy: answered(429, BUSY, 'The sandbox is rate limited (scenario busy); try again in a second.', 1000),
  quota: answered(429, QUOTA, 'The quota of the sandbox is used up (scenario quota).'),
  reject: answered(400, REJECTED, 'The sandbox rejected the request as invalid (scenario reject).'),
  broken: answered(500, BROKEN, 'The sandbox failed before any work (scenario broken).'),
  unreached: {
    phase: 'INTENT',
    failure: {
      ...UNREACHED,
      message: 'The sandbox could not be reached; nothing was sent (scenario unreached).',
    },
  },
  stall: lost('The sandbox did not answer before the deadline (scenario stall).'),
  vanish: lost(
    'The connection to the sandbox broke; whether an image was made is unknown (scenario vanish).',
  ),
}

function answered(
  httpStatus: number,
  verdict: FailureVerdict,
  message: string,
  retryAfterMs?: number,
): ScenarioFailure {
  const failure = { ...verdict, charged: 'NO' as const, message, httpStatus, retryAfterMs }
  return { phase: 'BODY_DONE', failure }
}

function lost(message: string): ScenarioFailure {
  return { phase: 'DISPATCHED', failure: { ...LOST, message } }
}

/** Node's limit, 24.8 days: longer than any deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1

export async function fail(
  scenario: Exclude<Scenario, 'ok'>,
  durationMs: number,
  call: Call,
): Promise<never> {
  const { phase, failure } = SCENARIO_FAILURES[scenario]
  if (phase === 'INTENT') throw new ProviderError(failure)
  call.onWire('DISPATCHED')
  if (scenario === 'stall') await wait(MAX_TIMER_MS, call)
  await wait(durationMs * (scenario === 'vanish' ? 0.5 : 0.1), call)
  if (phase === 'DISPATCHED') throw new ProviderError(failure)
  const providerRequestId = requestIdOf(call)
  call.onWire('HEADERS', { httpStatus: failure.httpStatus ?? 200, providerRequestId })
  call.onWire('BODY_DONE')
  throw new ProviderError({ ...failure, providerRequestId })
}

/** For an upstream's `x-request-id`. */
export function requestIdOf(call: Call): string {
  return `sandbox-${call.clientRef}`
}
