// Errors of Ace Data Cloud: docs.acedata.cloud, "Authentication" and "Responses". Failed calls are "generally" not
// billed.
import type { ProviderError } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import {
  BLOCKED,
  BROKEN,
  BUSY,
  LOST,
  MISCONFIGURED,
  NO_WORDS,
  ofTask,
  QUOTA,
  REJECTED,
  toProviderError,
  verdictOfStatus,
  type FailureVerdict,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

/** The error of a body, which may be no more than `success: false`. */
export function errorWordsIn(json: unknown): UpstreamWords | undefined {
  const hasFailed = typeof json === 'object' && json !== null && 'success' in json && json.success === false
  return wordsIn(json) ?? (hasFailed ? NO_WORDS : undefined)
}

export function taskFailed(words: UpstreamWords, reply: ProviderReply): ProviderError {
  const verdict = ofTask(CODES.get(words.code ?? '') ?? BROKEN)
  // A timeout on record is the model's: the task has ended.
  const code = verdict.code === 'OUTCOME_UNKNOWN' ? 'PROVIDER_BROKEN' : verdict.code
  return toProviderError({ ...verdict, code }, words, reply)
}

/** `words` is undefined when the body is not one of this API. */
export function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const known = CODES.get(words?.code ?? '')
  if (known) return known
  return reply.status >= 300 ? verdictOfStatus(reply, words ? 'KNOWN' : 'FOREIGN') : BROKEN
}

const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
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
