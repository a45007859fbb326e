import { ProviderError, VERDICTS, type FailureVerdict } from '../error.ts'
import { MalformedImage, MalformedReply } from '../wire/malformed.ts'
import type { ProviderReply } from './client.ts'

export type ReplyTo = 'SUBMIT' | 'CHECK'

export interface UpstreamWords {
  code: string | null
  message: string
  param?: string | null | undefined
}

export const NO_WORDS: UpstreamWords = { code: null, message: '' }

// For every upstream. Messages do not decide: they may repeat the prompt.
const STATUSES: ReadonlyMap<number, FailureVerdict> = new Map([
  // RFC 9110, 15.4: not carried out, unlike 303.
  [301, VERDICTS.MISCONFIGURED],
  [302, VERDICTS.MISCONFIGURED],
  [307, VERDICTS.MISCONFIGURED],
  [308, VERDICTS.MISCONFIGURED],
  // RFC 9110, 15.5.2 to 15.5.4.
  [401, VERDICTS.MISCONFIGURED],
  [402, VERDICTS.QUOTA],
  [403, VERDICTS.MISCONFIGURED],
  // RFC 9110, 15.5.9 and 15.5.10: perhaps carried out.
  [408, VERDICTS.LOST],
  [409, VERDICTS.LOST],
  // RFC 6585, 4.
  [429, VERDICTS.BUSY],
  // nginx: a proxy's client disconnected; perhaps carried out.
  [499, VERDICTS.LOST],
])

/** A FOREIGN `body` is not this API's: a 404 then means a wrong base URL. */
export function verdictOfStatus(
  { status, unbilled }: Pick<ProviderReply, 'status' | 'unbilled'>,
  body: 'KNOWN' | 'FOREIGN',
): FailureVerdict {
  const known = STATUSES.get(status)
  if (known) return known
  if (body === 'FOREIGN' && (status === 404 || status === 405)) return VERDICTS.MISCONFIGURED
  if (status < 500) return status < 400 ? VERDICTS.BROKEN : VERDICTS.REJECTED
  return unbilled === 'SERVER_ERRORS' ? { ...VERDICTS.BROKEN, charged: 'NO' } : VERDICTS.LOST
}

/** For an accepted request: neither waiting nor another account helps. */
export function ofTask(verdict: FailureVerdict): FailureVerdict {
  return { ...verdict, kind: verdict.kind === 'rejected' ? 'rejected' : 'broken' }
}

/** After a failed check, it may be done and charged. */
export function replyFailure(
  replyTo: ReplyTo,
  verdict: FailureVerdict,
  words: UpstreamWords | undefined,
  reply: ProviderReply,
): ProviderError {
  if (replyTo === 'SUBMIT') return toProviderError(verdict, words, reply)
  const isFinal = verdict.kind === 'rejected' || verdict.kind === 'broken'
  return toProviderError(isFinal ? VERDICTS.LOST : { ...verdict, charged: 'UNKNOWN' }, words, reply)
}

export function toProviderError(
  verdict: FailureVerdict,
  words: UpstreamWords = NO_WORDS,
  { provider, unbilled, clean, said, status, requestId, retryAfterMs }: ProviderReply,
): ProviderError {
  const text = clean(words.message || said)
  const details = [`status ${status}`, words.code, words.param].flatMap((detail) => detail || [])
  const isUnbilled = unbilled === 'FAILURES' && (verdict.kind === 'rejected' || verdict.kind === 'broken')
  return new ProviderError({
    ...verdict,
    charged: isUnbilled ? 'NO' : verdict.charged,
    message: `${provider} ${sentence(verdict, text)} (${details.map(clean).join(', ')}).`,
    retryAfterMs,
    httpStatus: status,
    providerRequestId: requestId,
    cause: text === '' ? undefined : new Error(text),
  })
}

/** Of a check: the task has ended, and there is neither an image nor a reason. */
export function endedWithoutImage(reply: ProviderReply): ProviderError {
  const message = 'the task is completed, but has no image'
  const { failure } = toProviderError(ofTask(VERDICTS.BROKEN), { code: null, message }, reply)
  return new ProviderError({ ...failure, isUnproven: true })
}

/** Malformed: `broken` for a submit or an unreadable image, `lost` for a check. */
export function asFailure(error: unknown, replyTo: ReplyTo, reply: ProviderReply): unknown {
  if (!(error instanceof MalformedReply)) return error
  const { provider, status, contentType, requestId } = reply
  const isBroken = replyTo === 'SUBMIT' || error instanceof MalformedImage
  return new ProviderError({
    ...(isBroken ? VERDICTS.BROKEN : VERDICTS.LOST),
    message: `${provider} answered with status ${status}, but its reply (${contentType || 'of no type'}) ${error.message}.`,
    httpStatus: status,
    providerRequestId: requestId,
    cause: error,
  })
}

// Texts about the account may name organisations and balances; the cause keeps them.
function sentence({ kind, code }: FailureVerdict, text: string): string {
  if (kind === 'busy') return 'limits the request rate or is overloaded; try again later'
  if (code === 'PROVIDER_QUOTA') return 'refuses requests: the quota or balance of its account is used up'
  if (code === 'PROVIDER_MISCONFIGURED')
    return 'refuses the credentials of this gateway, or does not serve the model to them'
  const reason = text === '' ? '' : `: ${text.replace(/[.\s]+$/, '')}`
  if (kind === 'rejected') return `rejected the request${reason}`
  if (kind === 'lost') return `did not report whether the request was carried out${reason}`
  return `failed${reason}`
}
