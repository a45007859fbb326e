import { z } from 'zod'
import { CATALOGUE } from '../catalogue.ts'
import { modelsOption, offersFrom } from '../offers.ts'
import type { Offer } from '../provider.ts'

const OPENAI = 'https://api.openai.com/v1'

// A credential with a line break or a space in it would be refused much later, as a header, and less clearly.
const credential = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be one word of printable ASCII')

/** The entry of an `openai` provider in the configuration. */
export const openaiOptions = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'must begin with https:// or http://' })
    .refine((text) => URL.parse(text)?.username === '', 'must not contain a user name; use apiKey')
    .default(OPENAI),
  apiKey: credential,
  /** Sent as `OpenAI-Organization`. */
  organization: credential.optional(),
  /** Sent as `OpenAI-Project`. */
  project: credential.optional(),
  /** Default: every GPT image model of the catalogue whose end is not announced. */
  models: modelsOption.optional(),
  /** Ten minutes by default, as in OpenAI's own clients: giving up earlier saves no money and may lose a paid picture. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call costs 40 KB, so the default only bounds what one accident can cost. */
  concurrency: z.int().positive().default(256),
  /**
   * `stream` asks for server-sent events, the only way to previews; `sync` for one JSON reply. `auto` streams when
   * previews are asked for, and offers previews where streaming is known to be spoken: at OpenAI itself.
   */
  mode: z.enum(['auto', 'sync', 'stream']).default('auto'),
  /** True when this provider promises that a status of 500 or more is never billed; such calls may then be repeated. */
  unbilledServerErrors: z.boolean().default(false),
})

export type OpenaiOptions = z.output<typeof openaiOptions>

/** What such a provider serves. A model offers previews only where the mode lets them arrive. */
export function offersOf({ baseUrl, mode, models }: OpenaiOptions): Offer[] {
  const streams =
    mode === 'stream' || (mode === 'auto' && new URL(baseUrl).hostname === new URL(OPENAI).hostname)
  return offersFrom(models ?? currentModels()).map((offer) => ({
    ...offer,
    capabilities: {
      ...offer.capabilities,
      maxPartialImages: streams ? offer.capabilities.maxPartialImages : 0,
    },
  }))
}

// A model with an announced end would one day fail without anybody having changed anything, so it wants to be named.
function currentModels(): string[] {
  const current = CATALOGUE.filter(
    ({ name, retiresOn }) => name.startsWith('gpt-image') && retiresOn === null,
  )
  return current.map(({ name }) => name)
}
