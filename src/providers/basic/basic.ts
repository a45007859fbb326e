// The smallest images API there is, as OceanBase Cloud's AI services document it (en.oceanbase.com/docs, "Use the
// gpt-image-2 model for text-to-image generation"): four fields in, one reply out. The adapter to copy for a new one.
import { z } from 'zod'
import { credential, httpUrl } from '../wire/account.ts'
import { modelsOption, type ModelsOption } from '../models/offers.ts'
import { createImagesApi } from '../images-api/exchange.ts'
import { offersByPage } from '../models/page-offers.ts'
import type { Capabilities, Dialect, ProviderRequest, Provider } from '../provider.ts'

const options = z.strictObject({
  /** Ends in `/api/v1`. There is no default: the page leaves the host to each account. */
  baseUrl: httpUrl,
  apiKey: credential,
  /** `gpt-image-2` by default, the one model on the page. */
  models: modelsOption
    .refine((models) => models.every(isSendable), {
      error: 'can only change the capabilities that four fields can say: sizes, maxN and maxPromptLength',
    })
    .default(['gpt-image-2']),
  /** What is sent where a client leaves the size open: the field is required, and the page knows no `auto`. */
  defaultSize: z
    .string()
    .regex(/^[1-9]\d*x[1-9]\d*$/, 'must be WIDTHxHEIGHT')
    .default('1024x1024'),
  /** Ten minutes by default: giving up earlier saves no money and may lose a paid picture. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call costs 40 KB, so the default only bounds what one accident can cost. */
  concurrency: z.int().positive().default(256),
  /** True when this provider promises that a status of 500 or more is never billed; such calls may then be repeated. */
  unbilledServerErrors: z.boolean().default(false),
})

export type BasicOptions = z.output<typeof options>

export const basic: Dialect<BasicOptions> = {
  options,
  fromEnvironment({ BASIC_API_KEY: apiKey, BASIC_BASE_URL }) {
    return apiKey && BASIC_BASE_URL ? { apiKey, baseUrl: BASIC_BASE_URL } : undefined
  },
  create: createBasic,
}

function createBasic(name: string, settings: BasicOptions): Provider {
  const api = createImagesApi({ ...settings, name, secrets: [settings.apiKey] })
  return {
    name,
    dialect: 'basic',
    traits: {
      modes: ['SYNC'],
      recovery: 'NONE',
      failureCharge: settings.unbilledServerErrors ? 'NO' : 'UNKNOWN',
    },
    offers: offersByPage(settings.models, () => CAPABILITIES),
    concurrency: settings.concurrency,
    timeoutMs: settings.timeoutMs,

    async submit(request, call) {
      const size = request.size === 'auto' ? settings.defaultSize : request.size
      const message = {
        method: 'POST',
        path: '/images/generations',
        headers: { authorization: `Bearer ${settings.apiKey}`, 'content-type': 'application/json' },
        body: toBody({ ...request, size }),
      } as const
      const answer = await api.exchange(message, request, call)
      return answer.state === 'DONE' ? { ...answer, resolved: { size, ...answer.resolved } } : answer
    },
    close: () => api.close(),
  }
}

// A setting that has no field would be dropped in silence; a server that has fields for more is an `openai` provider.
function isSendable(model: ModelsOption[number]): boolean {
  const changed = typeof model === 'string' ? {} : (model.capabilities ?? {})
  return Object.keys(changed).every((name) => ['sizes', 'maxN', 'maxPromptLength'].includes(name))
}

// The page marks all four as required, and lists no other.
function toBody({ upstreamModel, prompt, size, n }: ProviderRequest): string {
  return JSON.stringify({ model: upstreamModel, prompt, size, n })
}

// The page bounds neither `size` nor `n`: the sizes are the model's own, and n is as far as Darkroom goes.
const CAPABILITIES: Partial<Capabilities> = {
  operations: ['GENERATE'],
  qualities: ['AUTO'],
  backgrounds: ['AUTO'],
  moderations: ['AUTO'],
  outputFormats: ['PNG'],
  outputCompression: false,
  inputFidelities: [],
  styles: [],
  maxN: 10,
  maxInputImages: 0,
  mask: false,
  maxPartialImages: 0,
  user: false,
}
