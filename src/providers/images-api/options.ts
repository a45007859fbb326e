import { z } from 'zod'
import { CHARGES } from '../../domain.ts'
import { extraNames, svgPrices } from '../models/offers.ts'

/** Others make a malformed header. */
export const credential = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable ASCII')

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must begin with https:// or http://' })
  .refine((text) => URL.parse(text)?.username === '', 'must not contain a user name; use apiKey')

const charge = z.enum(CHARGES).default('UNKNOWN')

export const callOptions = {
  /** As OpenAI's clients. A shorter wait may lose a paid image. */
  timeoutMs: z.int().positive().default(600_000),
  /** Bounds accidental cost; a waiting call takes 40 KB. */
  concurrency: z.int().positive().default(256),
  /** What the operator vouches for where evidence leaves a charge UNKNOWN. */
  charges: z.strictObject({ moderation: charge, failure: charge, timeout: charge }).optional(),
  /** Names of extra parameters that requests may set. */
  extra: extraNames.optional(),
  svgPrices: svgPrices.optional(),
  /** How long a result stays at its address. */
  resultTtlMs: z.int().positive().default(86_400_000),
}

export const pollMs = z.int().positive().default(5000)

/** For 500 and above: such requests may be repeated. */
export const unbilledServerErrors = z.boolean().default(false)

/** Failed requests may go elsewhere. */
export const unbilledFailures = z.boolean().default(false)

/** `<PREFIX>_API_KEY` and `<PREFIX>_BASE_URL`; undefined without a key. */
export function entryFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
): { apiKey: string; baseUrl?: string } | undefined {
  const { [`${prefix}_API_KEY`]: apiKey, [`${prefix}_BASE_URL`]: baseUrl } = env
  return apiKey ? { apiKey, ...(baseUrl && { baseUrl }) } : undefined
}
