// How a call ends: well, or in one of the ways that real upstreams end, so that clients can be written against each.
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

/**
 * What a prompt may say to the sandbox, as a payment provider's test cards do: `[sandbox:busy]` anywhere in it decides
 * that one call's ending. Directives are taken out before painting. Keys are what is written, values what happens.
 */
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

/** How one call shall go. */
export interface Direction {
  scenario: Scenario
  durationMs: number
  /** The prompt without its directives. */
  prompt: string
}

const DIRECTIVE = /\s?\[sandbox:(?:duration=(\d{1,6})|([a-z]+))\]/giu
const SLOW_MS = 30_000
const MAX_DURATION_MS = 600_000

/** Reads the directives of a prompt. The last one wins; a word that is none is left in the prompt. */
export function readDirections(prompt: string, usual: { scenario: Scenario; durationMs: number }): Direction {
  let { scenario, durationMs } = usual
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

/** A failure, and how far the request gets before it shows. */
export interface ScenarioFailure {
  phase: WirePhase
  failure: Failure
}

/** The ways to fail; `ok` is none. The numbers are those that the OpenAI API answers with in these cases. */
export const SCENARIO_FAILURES: Readonly<Record<Exclude<Scenario, 'ok'>, ScenarioFailure>> = {
  moderation: answered(
    400,
    'rejected',
    'MODERATION_BLOCKED',
    'The sandbox was told to block this prompt as unsafe.',
  ),
  busy: {
    phase: 'BODY_DONE',
    failure: {
      kind: 'busy',
      code: 'PROVIDER_RATE_LIMITED',
      message: 'The sandbox was told to be busy; try again in a second.',
      charged: 'NO',
      httpStatus: 429,
      retryAfterMs: 1000,
    },
  },
  quota: answered(429, 'refused', 'PROVIDER_QUOTA', 'The sandbox was told that its account is empty.'),
  reject: answered(
    400,
    'rejected',
    'PROVIDER_REJECTED',
    'The sandbox was told to refuse this request as invalid.',
  ),
  broken: answered(500, 'broken', 'PROVIDER_BROKEN', 'The sandbox was told to break before doing any work.'),
  unreached: {
    phase: 'INTENT',
    failure: {
      kind: 'unreached',
      code: 'PROVIDER_UNREACHABLE',
      message: 'The sandbox was told to be unreachable; nothing was sent.',
      charged: 'NO',
    },
  },
  stall: lost('The sandbox was told never to answer, and the deadline has passed.'),
  vanish: lost('The sandbox was told to break the connection; whether it painted cannot be known.'),
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
