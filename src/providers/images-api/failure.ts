// What OpenAI's errors mean. The statuses and codes are those of platform.openai.com/docs/guides/error-codes and of
// help.openai.com/en/articles/6614457; `moderation_blocked` is described in the image generation guide.
import { z } from 'zod'
import { ProviderError, type Failure } from '../error.ts'

/** An error as the upstream words it, in a body or in a stream. */
export type UpstreamError = z.output<typeof upstreamError>

/** What besides the error itself is known of the call. */
export interface ErrorContext {
  provider: string
  /** Makes the upstream's words fit for a client. */
  clean: (text: string) => string
  status: number
  requestId: string | undefined
  retryAfterMs: number | undefined
  /** True when the operator vouches that a status of 500 or more is never billed. */
  unbilledServerErrors: boolean
}

const text = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const stage = z.object({ moderation_stage: text }).nullish().catch(null)
const upstreamError = z.object({
  message: text,
  type: text,
  param: text,
  code: text,
  moderation_details: stage,
})
const envelope = z.object({
  error: z.union([upstreamError, z.string().transform((message) => parseError({ message }))]),
})

/** The `error` of a parsed body or event; undefined when there is none. */
export function errorIn(json: unknown): UpstreamError | undefined {
  return envelope.safeParse(json).data?.error
}

/** A failing status as a ProviderError. `error` is what its body said, undefined when that was not an error of this API. */
export function statusFailure(error: UpstreamError | undefined, context: ErrorContext): ProviderError {
  return toProviderError(byCode(error, context.status) ?? byStatus(error, context), error, context)
}

/**
 * An error event in a stream. Once pictures flowed, work was done that may be billed: the call must not be placed again,
 * whatever the code says.
 */
export function streamFailure(error: UpstreamError, context: ErrorContext, flowed: 'nothing' | 'pictures') {
  const verdict = byCode(error, context.status) ?? LOST
  if (flowed === 'nothing' || verdict.charged === 'UNKNOWN') return toProviderError(verdict, error, context)
  const kind = verdict.kind === 'rejected' ? verdict.kind : 'broken'
  return toProviderError({ ...verdict, kind, charged: 'UNKNOWN' }, error, context)
}

type Verdict = Pick<Failure, 'kind' | 'code' | 'charged'>

const REJECTED: Verdict = { kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'NO' }
const IMAGE_INVALID: Verdict = { kind: 'rejected', code: 'INPUT_IMAGE_INVALID', charged: 'NO' }
const MISCONFIGURED: Verdict = { kind: 'refused', code: 'PROVIDER_MISCONFIGURED', charged: 'NO' }
const QUOTA: Verdict = { kind: 'refused', code: 'PROVIDER_QUOTA', charged: 'NO' }
const BUSY: Verdict = { kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' }
const BROKEN: Verdict = { kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' }
const LOST: Verdict = { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }

const CODES: Readonly<Record<string, Verdict>> = {
  insufficient_quota: QUOTA,
  credit_balance_exhausted: QUOTA,
  organization_usage_limit_exceeded: QUOTA,
  organization_spend_limit_exceeded: QUOTA,
  project_spend_limit_exceeded: QUOTA,
  billing_hard_limit_reached: QUOTA,
  rate_limit_exceeded: BUSY,
  slow_down: BUSY,
  server_is_overloaded: BUSY,
  invalid_api_key: MISCONFIGURED,
  model_not_found: MISCONFIGURED,
  unsupported_country_region_territory: MISCONFIGURED,
  invalid_image_file: IMAGE_INVALID,
  invalid_value: REJECTED,
  unknown_parameter: REJECTED,
}
const OVERLOADED = new Set(['server_is_overloaded', 'slow_down'])

function byCode(error: UpstreamError | undefined, status: number): Verdict | undefined {
  const code = error?.code ?? ''
  // A server that failed may have got far before; of its codes only those of a closed door say that nothing was begun.
  if (status >= 500) return status === 503 && OVERLOADED.has(code) ? BUSY : undefined
  if (code === 'moderation_blocked' || code === 'content_policy_violation') return moderated(error)
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined
  return known ?? (error?.type === 'insufficient_quota' ? QUOTA : undefined)
}

// A block of the prompt comes before any work. One of the finished picture has been reported to be billed, and a block
// that does not name its stage may be either.
function moderated(error: UpstreamError | undefined): Verdict {
  const early = error?.moderation_details?.moderation_stage === 'input'
  return { kind: 'rejected', code: 'MODERATION_BLOCKED', charged: early ? 'NO' : 'UNKNOWN' }
}

function byStatus(error: UpstreamError | undefined, { status, unbilledServerErrors }: ErrorContext): Verdict {
  if (status === 429) return BUSY
  if (status === 402) return QUOTA
  if (status === 401 || status === 403) return MISCONFIGURED
  // These two say that the request arrived, not whether it was carried out; 499 is a proxy's word for a hung-up caller.
  if (status === 408 || status === 409 || status === 499) return LOST
  // Not OpenAI's error but some other server's: the base URL leads elsewhere.
  if (!error && (status === 404 || status === 405)) return MISCONFIGURED
  if (MOVED.has(status)) return MISCONFIGURED
  if (status < 400) return BROKEN
  if (status < 500) return REJECTED
  return unbilledServerErrors ? { ...BROKEN, charged: 'NO' } : LOST
}

// RFC 9110: the request was not carried out here. A 303 would say that it was.
const MOVED = new Set([301, 302, 307, 308])

function toProviderError(
  verdict: Verdict,
  error: UpstreamError | undefined,
  context: ErrorContext,
): ProviderError {
  const { provider, clean, status, requestId, retryAfterMs } = context
  const words = clean(error?.message ?? '')
  const facts = [`status ${status}`, error?.code, error?.param]
    .filter(Boolean)
    .map((fact) => clean(String(fact)))
  return new ProviderError({
    ...verdict,
    message: `${provider} ${sentence(verdict, words)} (${facts.join(', ')}).`,
    retryAfterMs,
    httpStatus: status,
    providerRequestId: requestId,
    cause: words === '' ? undefined : new Error(words),
  })
}

// What concerns the client's request is told in the upstream's words. What concerns the operator's account there is not:
// those words name organisations and limits; they stay in the cause, for the log.
function sentence({ kind, code }: Verdict, words: string): string {
  if (kind === 'busy') return 'has no room for more requests right now'
  if (code === 'PROVIDER_QUOTA') return 'refuses more requests: the quota of its account is used up'
  if (kind === 'refused') return "refuses this gateway's account, or does not serve the model to it"
  const said = words === '' ? '' : `: ${words.replace(/[.\s]+$/, '')}`
  if (kind === 'rejected') return `rejected the request${said}`
  if (kind === 'lost') return `failed without saying whether the request was carried out${said}`
  return `failed${said}`
}

function parseError(fields: { message: string }): UpstreamError {
  return upstreamError.parse(fields)
}
