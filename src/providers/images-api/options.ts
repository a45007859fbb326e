// Configuration entries that several dialects have.
import { z } from 'zod'

/** A key or token. A line break or space would fail only later, as a malformed header. */
export const credential = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable ASCII')

/** A base URL. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must begin with https:// or http://' })
  .refine((text) => URL.parse(text)?.username === '', 'must not contain a user name; use apiKey')

/** Limits of calls. The entry of every HTTP provider has them. */
export const callOptions = {
  /** Ten minutes by default, as in OpenAI's clients: a shorter wait saves no money and may lose a paid image. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call costs 40 KB of memory, so the default only bounds the cost of an accident. */
  concurrency: z.int().positive().default(256),
}

/** How long to wait between two checks of a task. */
export const pollMs = z.int().positive().default(5000)

/** True when the operator declares that the provider never bills a status of 500 or more: such calls may be repeated. */
export const unbilledServerErrors = z.boolean().default(false)

/** True when the operator declares that the provider never bills a failed request: such requests may go elsewhere. */
export const unbilledFailures = z.boolean().default(false)

type Environment = Readonly<Record<string, string | undefined>>

/** The entry that `<PREFIX>_API_KEY` and `<PREFIX>_BASE_URL` make up; undefined without a key. */
export function entryFromEnvironment(
  env: Environment,
  prefix: string,
): { apiKey: string; baseUrl?: string } | undefined {
  const { [`${prefix}_API_KEY`]: apiKey, [`${prefix}_BASE_URL`]: baseUrl } = env
  return apiKey ? { apiKey, ...(baseUrl && { baseUrl }) } : undefined
}
