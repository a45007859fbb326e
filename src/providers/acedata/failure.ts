// What Ace Data Cloud's errors mean: docs.acedata.cloud, "Authentication" and "Responses", list the codes and their
// statuses. The docs say that failed calls are "generally" not billed, which is not "never".
import type { ProviderError } from '../error.ts'
import { errorIn } from '../images-api/failure.ts'
import {
  BLOCKED,
  BROKEN,
  BUSY,
  byStatus,
  LOST,
  MISCONFIGURED,
  ofOrder,
  ofQuestion,
  QUOTA,
  REJECTED,
  toProviderError,
  type ReplyFacts,
  type UpstreamWords,
  type Verdict,
} from '../images-api/verdicts.ts'

/** The error of a body, be it an object or a bare text, with or without `success: false`; undefined when there is none. */
export function saidIn(json: unknown): UpstreamWords | undefined {
  const error = errorIn(json)
  if (error?.code || error?.message) return { code: error.code ?? null, message: error.message ?? '' }
  const failed = typeof json === 'object' && json !== null && 'success' in json && json.success === false
  return failed ? { code: null, message: '' } : undefined
}

/** A refused order. `said` is undefined when the body was not one of this API. */
export function orderRefused(said: UpstreamWords | undefined, facts: ReplyFacts): ProviderError {
  return toProviderError(verdictOn(said, facts.status), said ?? SILENCE, facts)
}

/** A refused question about a task, which says nothing about the task. */
export function questionRefused(said: UpstreamWords | undefined, facts: ReplyFacts): ProviderError {
  return toProviderError(ofQuestion(verdictOn(said, facts.status)), said ?? SILENCE, facts)
}

/** A task whose record says that it failed. */
export function taskFailed(said: UpstreamWords, facts: ReplyFacts): ProviderError {
  // Its call was over, so a timeout there was the model's and not ours: the order has ended.
  const { charged, ...verdict } = ofOrder(CODES.get(said.code ?? '') ?? BROKEN)
  const code = verdict.code === 'OUTCOME_UNKNOWN' ? 'PROVIDER_BROKEN' : verdict.code
  return toProviderError({ ...verdict, code, charged }, said, facts)
}

const SILENCE: UpstreamWords = { code: null, message: '' }

function verdictOn(said: UpstreamWords | undefined, status: number): Verdict {
  const known = CODES.get(said?.code ?? '')
  if (known) return known
  if (status >= 300) return byStatus(status, said ? 'understood' : 'foreign')
  return BROKEN
}

const CODES: ReadonlyMap<string, Verdict> = new Map([
  ['bad_request', REJECTED],
  ['no_token', MISCONFIGURED],
  ['api_not_implemented', MISCONFIGURED],
  ['invalid_token', MISCONFIGURED],
  ['token_expired', MISCONFIGURED],
  ['token_mismatched', MISCONFIGURED],
  ['disabled', MISCONFIGURED],
  ['no_api', MISCONFIGURED],
  ['used_up', QUOTA],
  ['forbidden', BLOCKED],
  ['too_many_requests', BUSY],
  ['api_error', BROKEN],
  ['timeout', LOST],
])
