// docs.acedata.cloud, "Authentication" and "Responses". Failed calls are "generally" not billed.
import { VERDICTS, type ProviderError, type FailureVerdict } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import {
  NO_WORDS,
  ofTask,
  toProviderError,
  verdictOfStatus,
  type UpstreamWords,
} from '../images-api/failure.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

/** The error of a body, which may be no more than `success: false`. */
export function errorWordsIn(json: unknown): UpstreamWords | undefined {
  const hasFailed = typeof json === 'object' && json !== null && 'success' in json && json.success === false
  return wordsIn(json) ?? (hasFailed ? NO_WORDS : undefined)
}

export function taskFailed(words: UpstreamWords, reply: ProviderReply): ProviderError {
  const verdict = ofTask(CODES.get(words.code ?? '') ?? VERDICTS.BROKEN)
  // A timeout on record is the model's: the task has ended.
  const code = verdict.code === 'OUTCOME_UNKNOWN' ? 'PROVIDER_BROKEN' : verdict.code
  return toProviderError({ ...verdict, code }, words, reply)
}

/** `words` is undefined when the body is not one of this API. */
export function verdictOn(words: UpstreamWords | undefined, reply: ProviderReply): FailureVerdict {
  const known = CODES.get(words?.code ?? '')
  if (known) return known
  return reply.status >= 300 ? verdictOfStatus(reply, words ? 'KNOWN' : 'FOREIGN') : VERDICTS.BROKEN
}

const CODES: ReadonlyMap<string, FailureVerdict> = new Map([
  ['bad_request', VERDICTS.REJECTED],
  ['no_token', VERDICTS.MISCONFIGURED],
  ['api_not_implemented', VERDICTS.MISCONFIGURED],
  ['invalid_token', VERDICTS.MISCONFIGURED],
  ['token_expired', VERDICTS.MISCONFIGURED],
  ['token_mismatched', VERDICTS.MISCONFIGURED],
  ['disabled', VERDICTS.MISCONFIGURED],
  ['no_api', VERDICTS.MISCONFIGURED],
  ['used_up', VERDICTS.QUOTA],
  ['forbidden', VERDICTS.BLOCKED],
  ['too_many_requests', VERDICTS.BUSY],
  ['api_error', VERDICTS.BROKEN],
  ['timeout', VERDICTS.LOST],
])
