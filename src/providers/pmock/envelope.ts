// The envelope of pmock's replies: docs.pmock.com, "Unified return structure for response results". Content types do
// not tell: {"code":200,"message":"…","data":{…},"traceId":"…"}.
import { z } from 'zod'
import { isSuccess, withRequestId, type ProviderReply } from '../images-api/client.ts'
import {
  BLOCKED,
  BROKEN,
  REJECTED,
  replyFailure,
  verdictOfStatus,
  type FailureVerdict,
  type ReplyTo,
} from '../images-api/failure.ts'
import type { Unwrap } from '../images-api/reply.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

export type Envelope = z.output<typeof envelope>

const text = z.string().min(1).nullish().catch(null)
const envelope = z.object({
  /** A number or a text. */
  code: z.union([z.int(), z.string().trim().min(1)]).transform(String),
  message: text,
  data: z.unknown().optional(),
  traceId: text,
})

export function envelopeIn(json: unknown): Envelope | undefined {
  const parsed = envelope.safeParse(json)
  // An error in OpenAI's form may stand beside a `code`, and says more.
  return parsed.success && !wordsIn(json) ? parsed.data : undefined
}

export function isGood(body: Envelope | undefined, reply: ProviderReply): boolean {
  return isSuccess(reply) && (body?.code ?? '200') === '200'
}

export function envelopeFailure(replyTo: ReplyTo, body: Envelope | undefined, reply: ProviderReply) {
  const verdict = body ? verdictOf(body, reply) : verdictOfStatus(reply, 'FOREIGN')
  return replyFailure(replyTo, verdict, { code: body?.code ?? null, message: body?.message ?? '' }, reply)
}

/** No code for it is documented. */
export function isSafetyBlock(message: string | null | undefined): boolean {
  return /safety system|moderation|content[ _]policy/i.test(message ?? '')
}

/** For the OpenAI-compatible route, whose replies may have no envelope. */
export const unwrapEnvelope: Unwrap = (json, reply, call) => {
  const body = envelopeIn(json)
  if (!body) return json
  const traced = withRequestId(reply, body.traceId, call)
  if (isGood(body, reply)) return body.data
  throw envelopeFailure('SUBMIT', body, traced)
}

// A code that is no status proves nothing about the charge.
function verdictOf({ code, message }: Envelope, reply: ProviderReply): FailureVerdict {
  // The higher one says less about whether work was done.
  const status = Math.max(reply.status, /^[1-5]\d\d$/.test(code) ? Number(code) : 0)
  const verdict = status < 300 ? BROKEN : verdictOfStatus({ ...reply, status }, 'KNOWN')
  return verdict === REJECTED && isSafetyBlock(message) ? BLOCKED : verdict
}
