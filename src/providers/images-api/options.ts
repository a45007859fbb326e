// Configuration entries that dialects share.
import { z } from 'zod'

/** A line break or space would fail only later, as a malformed header. */
export const credential = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable ASCII')

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must begin with https:// or http://' })
  .refine((text) => URL.parse(text)?.username === '', 'must not contain a user name; use apiKey')

export const callOptions = {
  /** Ten minutes, as in OpenAI's clients: a shorter wait saves no money and may lose a paid image. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call takes 40 KB. The default only bounds the cost of an accident. */
  concurrency: z.int().positive().default(256),
}

/** Time between two checks of a task. */
export const pollMs = z.int().positive().default(5000)

/** The operator declares that a status of 500 or more is never billed: such requests may be repeated. */
export const unbilledServerErrors = z.boolean().default(false)

/** The operator declares that a failed request is never billed: it may go elsewhere. */
export const unbilledFailures = z.boolean().default(false)

type Environment = Readonly<Record<string, string | undefined>>

/** From `<PREFIX>_API_KEY` and `<PREFIX>_BASE_URL`; undefined without a key. */
export function entryFromEnvironment(
  env: Environment,
  prefix: string,
): { apiKey: string; baseUrl?: string } | undefined {
  const { [`${prefix}_API_KEY`]: apiKey, [`${prefix}_BASE_URL`]: baseUrl } = env
  return apiKey ? { apiKey, ...(baseUrl && { baseUrl }) } : undefined
}
