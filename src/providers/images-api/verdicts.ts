// What failures mean at upstreams whose replies say little: one verdict for each kind of trouble, and which of them an
// HTTP status alone stands for. What an upstream's own codes mean is for its dialect.
import { ProviderError, type Failure } from '../error.ts'
import type { MalformedReply } from '../wire/malformed.ts'

export type Verdict = Pick<Failure, 'kind' | 'code' | 'charged'>

export const REJECTED: Verdict = { kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'NO' }
/** A picture that was blocked may have been painted first. */
export const BLOCKED: Verdict = { kind: 'rejected', code: 'MODERATION_BLOCKED', charged: 'UNKNOWN' }
export const MISCONFIGURED: Verdict = { kind: 'refused', code: 'PROVIDER_MISCONFIGURED', charged: 'NO' }
export const QUOTA: Verdict = { kind: 'refused', code: 'PROVIDER_QUOTA', charged: 'NO' }
export const BUSY: Verdict = { kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' }
export const BROKEN: Verdict = { kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' }
export const LOST: Verdict = { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }

/** What is known of a reply besides its body. */
export interface ReplyFacts {
  provider: string
  /** Makes the upstream's words fit for a client. */
  clean: (text: string) => string
  status: number
  contentType: string
  requestId: string | undefined
  retryAfterMs: number | undefined
  /** True when the operator vouches that what failed is never billed. */
  unbilledFailures: boolean
}

/** What the upstream said of the failure. */
export interface UpstreamWords {
  code: string | null
  message: string
}

/** The verdict of a failing status whose body says nothing more exact; `foreign` when it is not a body of this API. */
export function byStatus(status: number, body: 'understood' | 'foreign'): Verdict {
  if (status === 429) return BUSY
  if (status === 402) return QUOTA
  if (status === 401 || status === 403) return MISCONFIGURED
  // They say that the request arrived, not whether it was carried out; 499 is a proxy's word for a hung-up caller.
  if (status === 408 || status === 409 || status === 499) return LOST
  if (body === 'foreign' && (status === 404 || status === 405)) return MISCONFIGURED
  // RFC 9110: not carried out here. A 303 would say that it was.
  if ([301, 302, 307, 308].includes(status)) return MISCONFIGURED
  if (status < 400) return BROKEN
  return status < 500 ? REJECTED : LOST
}

/** The same verdict on an order that had been accepted: the order's own end, which no wait and no other account mends. */
export function ofOrder(verdict: Verdict): Verdict {
  return { ...verdict, kind: verdict.kind === 'rejected' ? 'rejected' : 'broken' }
}

/** The same verdict on a question about an order: it says nothing about the order, which may be done and charged. */
export function ofQuestion(verdict: Verdict): Verdict {
  const kind = verdict.kind === 'rejected' || verdict.kind === 'broken' ? 'lost' : verdict.kind
  return { ...verdict, kind, code: kind === 'lost' ? 'OUTCOME_UNKNOWN' : verdict.code, charged: 'UNKNOWN' }
}

/** A verdict as the error to throw, with the upstream's words where they concern the client. */
export function toProviderError(verdict: Verdict, said: UpstreamWords, facts: ReplyFacts): ProviderError {
  const { provider, clean, status, requestId, retryAfterMs, unbilledFailures } = facts
  const words = clean(said.message)
  const details = [`status ${status}`, ...(said.code === null ? [] : [clean(said.code)])]
  const vouched = unbilledFailures && (verdict.kind === 'rejected' || verdict.kind === 'broken')
  return new ProviderError({
    ...verdict,
    charged: vouched ? 'NO' : verdict.charged,
    message: `${provider} ${sentence(verdict, words)} (${details.join(', ')}).`,
    retryAfterMs,
    httpStatus: status,
    providerRequestId: requestId,
    cause: words === '' ? undefined : new Error(words),
  })
}

/** A reply that makes no sense, by what it was the reply to. */
export function toMalformed(
  error: MalformedReply,
  about: 'order' | 'question',
  facts: ReplyFacts,
): ProviderError {
  const { provider, status, contentType, requestId } = facts
  return new ProviderError({
    ...(about === 'order' ? BROKEN : LOST),
    message: `${provider} answered with status ${status}, but its reply (${contentType || 'of no type'}) ${error.message}.`,
    httpStatus: status,
    providerRequestId: requestId,
    cause: error,
  })
}

// What concerns the operator's account is not told in the upstream's words: they name accounts and balances. They stay
// in the cause, for the log.
function sentence({ kind, code }: Verdict, words: string): string {
  if (kind === 'busy') return 'has no room for more requests right now'
  if (code === 'PROVIDER_QUOTA') return 'refuses more requests: the balance of its account is used up'
  if (code === 'PROVIDER_MISCONFIGURED')
    return "refuses this gateway's account, or does not serve the model to it"
  const said = words === '' ? '' : `: ${words.replace(/[.\s]+$/, '')}`
  if (kind === 'rejected') return `rejected the request${said}`
  if (kind === 'lost') return `did not say what became of the order${said}`
  return `failed${said}`
}
