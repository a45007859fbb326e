// docs.pmock.com, "Unified return structure for response results".
import { z } from 'zod'
import { VERDICTS, type FailureVerdict } from '../error.ts'
import { isSuccess, type ProviderReply } from '../images-api/client.ts'
import { replyFailure, verdictOfStatus, type ReplyTo } from '../images-api/failure.ts'
import type { ReplyEnvelope } from '../images-api/reply.ts'
import { wordsIn } from '../images-api/upstream-error.ts'

export type Envelope = z.output<typeof envelope>

const text = z.string().min(1).nullish().catch(null)
const envelope = z.object({
  code: z.union([z.int(), z.string().trim().min(1)]).transform(String),
  message: text,
  data: z.unknown().optional(),
  traceId: text,
})

export function envelopeIn(json: unknown): Envelope | undefined {
  const parsed = envelope.safeParse(json)
  // OpenAI's error form beside a `code` says more.
  return parsed.success && !wordsIn(json) ? parsed.data : undefined
}

export function isGood(body: Envelope | undefined, reply: ProviderReply): boolean {
  return isSuccess(reply) && (body?.code ?? '200') === '200'
}

export function envelopeFailure(replyTo: ReplyTo, body: Envelope | undefined, reply: ProviderReply) {
  const verdict = body ? verdictOf(body, reply) : verdictOfStatus(reply, 'FOREIGN')
  return replyFailure(replyTo, verdict, { code: body?.code ?? null, message: body?.message ?? '' }, reply)
}

/** May be missing. */
export const COMPAT_ENVELOPE: ReplyEnvelope = {
  requestIdIn: traceIdIn,
  unwrap(json, reply) {
    const body = envelopeIn(json)
    if (!body) return json
    if (isGood(body, reply)) return body.data
    throw envelopeFailure('SUBMIT', body, reply)
  },
}

export function traceIdIn(json: unknown): string | null | undefined {
  return envelopeIn(json)?.traceId
}

// By the page, a "response status code". One that is no status proves nothing about the charge; the higher of
// two proves less. No other code is documented.
function verdictOf({ code }: Envelope, reply: ProviderReply): FailureVerdict {
  const status = Math.max(reply.status, /^[1-5]\d\d$/.test(code) ? Number(code) : 0)
  return status < 300 ? VERDICTS.BROKEN : verdictOfStatus({ ...reply, status }, 'KNOWN')
}
