// platform.openai.com/docs/api-reference/images. No remote ids, no cancel.
import { z } from 'zod'
import type { OutputFormat } from '../../domain.ts'
import { createImagesClient } from '../images-api/client.ts'
import {
  callOptions,
  credential,
  entryFromEnvironment,
  httpUrl,
  unbilledServerErrors,
} from '../images-api/options.ts'
import type { Preset } from '../images-api/preset.ts'
import { readResult } from '../images-api/reply.ts'
import { modelsOption } from '../models/offers.ts'
import type { Dialect, Offer, Provider, ProviderRequest } from '../provider.ts'
import { billReader } from './costs.ts'
import { modelReader } from './models.ts'
import { OPENAI } from './preset.ts'

type Presets = Readonly<Record<string, Preset>>

const common = z.strictObject({
  baseUrl: httpUrl.optional(),
  apiKey: credential,
  /** Of the organization: reads its costs. */
  adminKey: credential.optional(),
  /** Default: the preset's. */
  responseFormat: z.enum(['url', 'b64_json']).optional(),
  models: modelsOption.optional(),
  ...callOptions,
  /** `auto` streams for partial images, and offers them where the server has them. */
  mode: z.enum(['auto', 'sync', 'stream']).default('auto'),
  unbilledServerErrors,
})

export interface OpenaiOptions extends z.output<typeof common> {
  baseUrl: string
  preset?: string | undefined
}

function optionsWith(presets: Presets): z.ZodType<OpenaiOptions> {
  const own = [OPENAI, ...Object.values(presets)].reduce((all, { options }) => ({ ...all, ...options }), {})
  const entry = z.strictObject({
    ...own,
    ...common.shape,
    preset: z.enum(Object.keys(presets)).optional(),
  })
  return entry.transform((options, context) => {
    const baseUrl = options.baseUrl ?? presetOf(presets, options.preset).baseUrl
    if (baseUrl !== null) return { ...options, baseUrl }
    const message = `must be set: preset ${options.preset} has no default`
    context.issues.push({ code: 'custom', path: ['baseUrl'], input: options, message })
    return z.NEVER
  })
}

function presetOf(presets: Presets, name: string | undefined): Preset {
  return (name === undefined ? undefined : presets[name]) ?? OPENAI
}

/** `presets` by the entry's `preset`. */
export function createOpenaiDialect(presets: Presets): Dialect<OpenaiOptions> {
  return {
    options: optionsWith(presets),

    fromEnvironment(env) {
      const entry = entryFromEnvironment(env, 'OPENAI')
      if (entry === undefined) return undefined
      return {
        ...entry,
        ...(env.OPENAI_ADMIN_KEY && { adminKey: env.OPENAI_ADMIN_KEY }),
        ...(env.OPENAI_ORG_ID && { organization: env.OPENAI_ORG_ID }),
        ...(env.OPENAI_PROJECT_ID && { project: env.OPENAI_PROJECT_ID }),
      }
    },

    create: (name, options) => createOpenai(name, options, presetOf(presets, options.preset)),
  }
}

function createOpenai(name: string, options: OpenaiOptions, preset: Preset): Provider {
  const { apiKey, adminKey } = options
  const { modelsPath = '/models' } = preset
  const credentials = preset.credentials(options)
  const client = createImagesClient(name, options, [apiKey, ...(adminKey ? [adminKey] : [])])
  const offers = offersOf(options, preset)
  const modes = { auto: ['SYNC', 'STREAM'], sync: ['SYNC'], stream: ['STREAM'] } as const
  return {
    ...(options.preset !== undefined && { preset: options.preset }),
    ...client.provider({
      dialect: 'openai',
      offers,
      modes: modes[options.mode],
      recovery: 'NONE',
    }),

    async submit(request, call) {
      const message = await preset.message(request, options, wantsStream(request, options, preset))
      const headers = { ...message.headers, ...credentials }
      return readResult(await client.submit({ ...message, headers }, call), request, call, preset)
    },
    ...(modelsPath !== null && { listModels: modelReader(client, modelsPath, credentials) }),
    ...(adminKey && { fetchBill: billReader(client, { ...options, adminKey }, offers) }),
  }
}

/** `output_format` of events in the reference. */
const STREAMED: ReadonlySet<OutputFormat> = new Set(['PNG', 'WEBP', 'JPEG'])

function wantsStream(
  { partialImages, outputFormat }: ProviderRequest,
  { mode, baseUrl }: OpenaiOptions,
  preset: Preset,
) {
  if (!STREAMED.has(outputFormat)) return false
  if (mode !== 'auto') return mode === 'stream'
  return partialImages > 0 && preset.partialImages(baseUrl) !== 'WITHOUT_STREAM'
}

function offersOf({ mode, models, baseUrl }: OpenaiOptions, preset: Preset): Offer[] {
  const offers = preset.offers(models)
  const hasPartialImages = mode === 'stream' || (mode === 'auto' && preset.partialImages(baseUrl) !== 'NONE')
  if (hasPartialImages) return offers
  return offers.map((offer) => ({ ...offer, capabilities: { ...offer.capabilities, maxPartialImages: 0 } }))
}
