// platform.openai.com/docs/guides/error-codes, help.openai.com/en/articles/6614457 and the image generation guide.
import { z } from 'zod'
import { VERDICTS, type FailureVerdict, type ProviderError } from '../error.ts'
import type { ProviderReply } from './client.ts'
import { toProviderError, verdictOfStatus, type UpstreamWords } from './failure.ts'

export type UpstreamError = z.output<typeof upstreamError>

const text = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const upstreamError = z.object({
  message: text,
  type: text,
  param: text,
  code: text,
  moderation_details: z.object({ moderation_stage: text }).nullish().catch(null),
})
const errorBody = z.object({
  error: z.union([upstreamError, z.string().transform((message) => upstreamError.parse({ message }))]),
})

/** Undefined without content. */
export function errorIn(json: unknown): UpstreamError | undefined {
  const error = errorBody.safeParse(json).data?.error
  const hasContent = [error?.message, error?.type, error?.param, error?.code].some((one) => one?.trim())
  return hasContent ? error : undefined
}

/** Undefined without code and message. */
export function wordsIn(json: unknown): UpstreamWords | undefined {
  const error = errorIn(json)
  return error?.code || error?.message ? toWords(error) : undefined
}

export function statusFailure(json: unknown, reply: ProviderReply): ProviderError {
  const error = errorIn(json)
  const verdict = verdictOfCode(error, reply.status) ?? verdictOfStatus(reply, error ? 'KNOWN' : 'FOREIGN')
  return toProviderError(verdict, toWords(error), reply)
}

/** Arrived images may be billed: do not send again. */
export function streamFailure(error: UpstreamError, reply: ProviderReply, arrived: 'NOTHING' | 'IMAGES') {
  const verdict = verdictOfCode(error, reply.status) ?? VERDICTS.LOST
  if (arrived === 'NOTHING' || verdict.charged === 'UNKNOWN')
    return toProviderError(verdict, toWords(error), reply)
  const kind = verdict.kind === 'rejected' ? verdict.kind : 'broken'
  return toProviderError({ ...verdict, kind, charged: 'UNKNOWN' }, toWords(error), reply)
}

const CODES: Readonly<Record<string, FailureVerdict>> = {
  // help.openai.com/en/articles/6614457; first: older name.
  insufficient_quota: VERDICTS.QUOTA,
  credit_balance_exhausted: VERDICTS.QUOTA,
  organization_usage_limit_exceeded: VERDICTS.QUOTA,
  organization_spend_limit_exceeded: VERDICTS.QUOTA,
  project_spend_limit_exceeded: VERDICTS.QUOTA,
  billing_hard_limit_reached: VERDICTS.QUOTA,
  // error-codes, 429 and 503.
  rate_limit_exceeded: VERDICTS.BUSY,
  slow_down: VERDICTS.BUSY,
  server_is_overloaded: VERDICTS.BUSY,
  // error-codes, 401, 403 and 404.
  invalid_api_key: VERDICTS.MISCONFIGURED,
  model_not_found: VERDICTS.MISCONFIGURED,
  unsupported_country_region_territory: VERDICTS.MISCONFIGURED,
  // Azure: no deployment has this name.
  DeploymentNotFound: VERDICTS.MISCONFIGURED,
  // Image generation guide, validation.
  invalid_image_file: VERDICTS.IMAGE_INVALID,
  invalid_value: VERDICTS.REJECTED,
  unknown_parameter: VERDICTS.REJECTED,
}
// Image generation guide, "Content moderation"; the last one is Azure's, for prompts and images alike.
const BLOCKS = new Set(['moderation_blocked', 'content_policy_violation', 'contentFilter'])
const OVERLOAD_CODES = new Set(['server_is_overloaded', 'slow_down'])

function verdictOfCode(error: UpstreamError | undefined, status: number): FailureVerdict | undefined {
  const code = error?.code ?? ''
  // Except for overload codes, the work may be done.
  if (status >= 500) return status === 503 && OVERLOAD_CODES.has(code) ? VERDICTS.BUSY : undefined
  if (BLOCKS.has(code)) return verdictOfBlock(error)
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined
  return known ?? (error?.type === 'insufficient_quota' ? VERDICTS.QUOTA : undefined)
}

// Prompts are blocked before any work; blocked images are billed, according to users.
function verdictOfBlock(error: UpstreamError | undefined): FailureVerdict {
  const isInput = error?.moderation_details?.moderation_stage === 'input'
  return isInput ? { ...VERDICTS.BLOCKED, charged: 'NO' } : VERDICTS.BLOCKED
}

function toWords(error: UpstreamError | undefined): UpstreamWords {
  return { code: error?.code ?? null, message: error?.message ?? '', param: error?.param }
}
