// What pmock wraps around its replies (docs.pmock.com, "Unified return structure for response results"), whatever the
// content type says: {"code":200,"message":"…","data":{…},"traceId":"…"}.
import { z } from 'zod'
import type { ProviderError } from '../error.ts'
import type { ErrorContext } from '../images-api/failure.ts'
import type { Call } from '../provider.ts'
import { BLOCKED, BROKEN, byStatus, REJECTED, toProviderError, type Verdict } from '../images-api/verdicts.ts'

/** A reply's wrapper. */
export type Envelope = z.output<typeof envelope>

const words = z.string().min(1).nullish().catch(null)
const envelope = z.object({
  /** The page calls it the response status code, and it comes as a number or as a text. */
  code: z.union([z.int(), z.string().trim().min(1)]).transform(String),
  message: words,
  data: z.unknown().optional(),
  traceId: words,
})

/** The wrapper of a parsed body; undefined when it has none. */
export function envelopeIn(json: unknown): Envelope | undefined {
  const parsed = envelope.safeParse(json)
  // An error of OpenAI's own form may have a `code` beside it, and says more.
  return parsed.success && !hasError(json) ? parsed.data : undefined
}

/** Whether the wrapper tells of a success. HTTP's own status is 200 in either case, or is not. */
export function isGood({ code }: Envelope): boolean {
  return code === '200'
}

/** Tells pmock's own id for the request, which is in the body and in no header, and returns it. */
export function noteTrace(
  found: Envelope | undefined,
  { onWire }: Pick<Call, 'onWire'>,
  clean: (text: string) => string,
): string | undefined {
  const providerRequestId = clean(found?.traceId ?? '').slice(0, 200) || undefined
  if (providerRequestId) onWire('BODY_DONE', { providerRequestId })
  return providerRequestId
}

/** What a wrapper that tells of a failure means. A code that is no status proves nothing about the charge. */
export function verdictOf({ code, message }: Envelope, httpStatus: number): Verdict {
  // Of two statuses the worse one: it says less about whether work was done.
  const status = Math.max(httpStatus, /^[1-5]\d\d$/.test(code) ? Number(code) : 0)
  const verdict = status < 300 ? BROKEN : byStatus(status, 'understood')
  return verdict === REJECTED && isSafetyBlock(message) ? BLOCKED : verdict
}

/** Whether the words of a failure are those of a safety system; no code for it is documented. */
export function isSafetyBlock(message: string | null | undefined): boolean {
  return /safety system|moderation|content[ _]policy/i.test(message ?? '')
}

/**
 * For the OpenAI-compatible route, whose errors may be wrapped: what is inside of the wrapper, and a body without one as
 * it is. Throws ProviderError when the wrapper tells of a failure.
 */
export function unwrapEnvelope(json: unknown, context: ErrorContext, call: Pick<Call, 'onWire'>): unknown {
  const found = envelopeIn(json)
  if (!found) return json
  const requestId = noteTrace(found, call, context.clean) ?? context.requestId
  if (isGood(found) && context.status < 300)
    return Array.isArray(found.data) ? { data: found.data } : found.data
  throw compatFailure(found, { ...context, requestId })
}

function compatFailure(found: Envelope, context: ErrorContext): ProviderError {
  const verdict = verdictOf(found, context.status)
  const charged = context.unbilledServerErrors && verdict.kind === 'lost' ? BROKEN_UNBILLED : verdict
  const said = { code: found.code, message: found.message ?? '' }
  return toProviderError(charged, said, { ...context, contentType: '', unbilledFailures: false })
}

const BROKEN_UNBILLED: Verdict = { ...BROKEN, charged: 'NO' }

function hasError(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'error' in json && Boolean(json.error)
}
