import type { WirePhase } from '../../domain.ts'
import { VERDICTS, type Failure, type FailureVerdict } from '../error.ts'

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

/** Directives in a prompt and their effects. They are removed before painting. */
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

const DIRECTIVE = /\s?\[sandbox:(?:duration=(\d{1,6})|([a-z]+))\]/giu
const SLOW_MS = 30_000
const MAX_DURATION_MS = 600_000

/** The last directive of a kind applies. Unknown ones stay in the prompt. */
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

/** With the statuses of the OpenAI API. */
export const SCENARIO_FAILURES: Readonly<Record<Exclude<Scenario, 'ok'>, ScenarioFailure>> = {
  moderation: answered(
    400,
    VERDICTS.BLOCKED,
    'The sandbox blocked the prompt as unsafe (scenario moderation).',
  ),
  busy: answered(
    429,
    VERDICTS.BUSY,
    'The sandbox is rate limited (scenario busy); try again in a second.',
    1000,
  ),
  quota: answered(429, VERDICTS.QUOTA, 'The quota of the sandbox is used up (scenario quota).'),
  reject: answered(400, VERDICTS.REJECTED, 'The sandbox rejected the request as invalid (scenario reject).'),
  broken: answered(500, VERDICTS.BROKEN, 'The sandbox failed before any work (scenario broken).'),
  unreached: {
    phase: 'INTENT',
    failure: {
      ...VERDICTS.UNREACHED,
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
  return { phase: 'DISPATCHED', failure: { ...VERDICTS.LOST, message } }
}
