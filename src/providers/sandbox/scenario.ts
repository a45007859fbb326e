// Failure scenarios of real upstreams, so that clients can be tested against each.
import type { WirePhase } from '../../domain.ts'
import type { Failure } from '../error.ts'

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

/** What directives in a prompt do, like the test cards of payment providers. They are removed before painting. */
export const SANDBOX_DIRECTIVES: Readonly<Record<string, string>> = {
  '[sandbox:ok]': 'succeeds, whatever scenario is configured',
  '[sandbox:moderation]': 'the prompt is blocked as unsafe: MODERATION_BLOCKED, not charged',
  '[sandbox:busy]': 'too many requests, try again in a second: PROVIDER_RATE_LIMITED, not charged',
  '[sandbox:quota]': 'the account is empty: PROVIDER_QUOTA, not charged',
  '[sandbox:reject]': 'the request is refused as invalid: PROVIDER_REJECTED, not charged',
  '[sandbox:broken]': 'an internal error before any work: PROVIDER_BROKEN, not charged',
  '[sandbox:unreached]': 'no connection, nothing was sent: PROVIDER_UNREACHABLE, not charged',
  '[sandbox:stall]':
    'never answers; at the deadline the outcome is unknown: OUTCOME_UNKNOWN, perhaps charged',
  '[sandbox:vanish]': 'the connection breaks halfway: OUTCOME_UNKNOWN, perhaps charged',
  '[sandbox:slow]': 'takes 30 seconds',
  '[sandbox:duration=200]': 'takes that many milliseconds, up to 600000',
}

export interface Direction {
  scenario: Scenario
  durationMs: number
  /** The prompt without its directives. */
  prompt: string
}

const DIRECTIVE = /\s?\[sandbox:(?:duration=(\d{1,6})|([a-z]+))\]/giu
const SLOW_MS = 30_000
const MAX_DURATION_MS = 600_000

/** The last directive of a kind applies. Unknown ones stay in the prompt. */
export function readDirections(
  prompt: string,
  configured: { scenario: Scenario; durationMs: number },
): Direction {
  let { scenario, durationMs } = configured
  const rest = prompt.replace(
    DIRECTIVE,
    (whole, milliseconds: string | undefined, word: string | undefined) => {
      const named = SCENARIOS.find((candidate) => candidate === word?.toLowerCase())
      if (named) scenario = named
      if (word?.toLowerCase() === 'slow') durationMs = SLOW_MS
      if (milliseconds) durationMs = Math.min(MAX_DURATION_MS, Number(milliseconds))
      return named || milliseconds || word?.toLowerCase() === 'slow' ? '' : whole
    },
  )
  return { scenario, durationMs, prompt: rest.trim() }
}

export interface ScenarioFailure {
  phase: WirePhase
  failure: Failure
}

/** With the statuses of the OpenAI API. */
export const SCENARIO_FAILURES: Readonly<Record<Exclude<Scenario, 'ok'>, ScenarioFailure>> = {
  moderation: answered(
    400,
    'rejected',
    'MODERATION_BLOCKED',
    'The sandbox blocked the prompt as unsafe (scenario moderation).',
  ),
  busy: {
    phase: 'BODY_DONE',
    failure: {
      kind: 'busy',
      code: 'PROVIDER_RATE_LIMITED',
      message: 'The sandbox is rate limited (scenario busy); try again in a second.',
      charged: 'NO',
      httpStatus: 429,
      retryAfterMs: 1000,
    },
  },
  quota: answered(429, 'refused', 'PROVIDER_QUOTA', 'The quota of the sandbox is used up (scenario quota).'),
  reject: answered(
    400,
    'rejected',
    'PROVIDER_REJECTED',
    'The sandbox rejected the request as invalid (scenario reject).',
  ),
  broken: answered(500, 'broken', 'PROVIDER_BROKEN', 'The sandbox failed before any work (scenario broken).'),
  unreached: {
    phase: 'INTENT',
    failure: {
      kind: 'unreached',
      code: 'PROVIDER_UNREACHABLE',
      message: 'The sandbox could not be reached; nothing was sent (scenario unreached).',
      charged: 'NO',
    },
  },
  stall: lost('The sandbox did not answer before the deadline (scenario stall).'),
  vanish: lost(
    'The connection to the sandbox broke; whether an image was made is unknown (scenario vanish).',
  ),
}

function answered(
  httpStatus: number,
  kind: Failure['kind'],
  code: Failure['code'],
  message: string,
): ScenarioFailure {
  return { phase: 'BODY_DONE', failure: { kind, code, message, charged: 'NO', httpStatus } }
}

function lost(message: string): ScenarioFailure {
  return {
    phase: 'DISPATCHED',
    failure: { kind: 'lost', code: 'OUTCOME_UNKNOWN', message, charged: 'UNKNOWN' },
  }
}
