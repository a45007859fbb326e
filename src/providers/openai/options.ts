import { z } from 'zod'
import { credential, httpUrl } from '../wire/account.ts'
import { CATALOGUE } from '../models/catalogue.ts'
import { modelsOption, offersFrom } from '../models/offers.ts'
import { offersByPage } from '../models/page-offers.ts'
import { COMPAT_CAPABILITIES } from '../pmock/capabilities.ts'
import { PMOCK_COMPAT } from '../pmock/compat.ts'
import type { Offer } from '../provider.ts'

const OPENAI = 'https://api.openai.com/v1'

/** The entry of an `openai` provider in the configuration. */
export const openaiOptions = z.strictObject({
  baseUrl: httpUrl.default(OPENAI),
  apiKey: credential,
  /** A server whose words differ in documented ways; `pmock` is docs.pmock.com, "openai compat generate". Default: none. */
  preset: z.enum(['pmock']).optional(),
  /** How the preset's fields are spelled: `snake`, as its sample client does, or `camel`, as its table does. Default `snake`. */
  naming: z.enum(['snake', 'camel']).optional(),
  /**
   * Sent as `response_format`. Default: `b64_json` with the preset and for DALL·E models, and else nothing, since OpenAI's
   * own GPT image models refuse it.
   */
  responseFormat: z.enum(['url', 'b64_json']).optional(),
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
   * previews are asked for, and offers previews where streaming is known to be spoken: at OpenAI itself. With the preset
   * `auto` asks for previews as its page does, without asking for a stream, and takes what comes.
   */
  mode: z.enum(['auto', 'sync', 'stream']).default('auto'),
  /** True when this provider promises that a status of 500 or more is never billed; such calls may then be repeated. */
  unbilledServerErrors: z.boolean().default(false),
})

export type OpenaiOptions = z.output<typeof openaiOptions>

/** Where such a provider is: by default at the preset's own address, and without one at OpenAI. */
export function addressOf({ baseUrl, preset }: OpenaiOptions): string {
  return preset === 'pmock' && baseUrl === OPENAI ? PMOCK_COMPAT : baseUrl
}

/** What such a provider serves. A model offers previews only where the mode lets them arrive. */
export function offersOf({ baseUrl, mode, models, preset }: OpenaiOptions): Offer[] {
  const known = preset === 'pmock' || new URL(baseUrl).hostname === new URL(OPENAI).hostname
  const previews = mode === 'stream' || (mode === 'auto' && known)
  const offers =
    preset === 'pmock'
      ? offersByPage(models ?? ['gpt-image-2'], () => COMPAT_CAPABILITIES)
      : offersFrom(models ?? currentModels())
  return offers.map((offer) => ({
    ...offer,
    capabilities: {
      ...offer.capabilities,
      maxPartialImages: previews ? offer.capabilities.maxPartialImages : 0,
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
