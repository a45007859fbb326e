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

/** `body` is FOREIGN when it is not one of this API: a 404 then means a wrong base URL. */
export function verdictOfStatus(
  { status, unbilled }: Pick<ProviderReply, 'status' | 'unbilled'>,
  body: 'KNOWN' | 'FOREIGN',
): FailureVerdict {
  if (status === 429) return VERDICTS.BUSY
  if (status === 402) return VERDICTS.QUOTA
  if (status === 401 || status === 403) return VERDICTS.MISCONFIGURED
  // Perhaps carried out. 499: a proxy's client disconnected.
  if (status === 408 || status === 409 || status === 499) return VERDICTS.LOST
  if (body === 'FOREIGN' && (status === 404 || status === 405)) return VERDICTS.MISCONFIGURED
  // RFC 9110: not carried out here, unlike with 303.
  if ([301, 302, 307, 308].includes(status)) return VERDICTS.MISCONFIGURED
  if (status < 500) return status < 400 ? VERDICTS.BROKEN : VERDICTS.REJECTED
  return unbilled === 'SERVER_ERRORS' ? { ...VERDICTS.BROKEN, charged: 'NO' } : VERDICTS.LOST
}

/** On an accepted request, neither a wait nor another account helps. */
export function ofTask(verdict: FailureVerdict): FailureVerdict {
  return { ...verdict, kind: verdict.kind === 'rejected' ? 'rejected' : 'broken' }
}

/** After a failed check, the request may be done and charged. */
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
  { provider, unbilled, clean, status, requestId, retryAfterMs }: ProviderReply,
): ProviderError {
  const text = clean(words.message)
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

/** Malformed: `broken` for a submit, `lost` for a check, `broken` for an unreadable image. */
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

// Texts about the account may name organisations and balances: the cause keeps them.
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
