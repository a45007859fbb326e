// The Images API of OpenAI and of servers that copy it. It has neither remote ids nor a way to cancel.
import { createImagesClient } from '../images-api/client.ts'
import { entryFromEnvironment } from '../images-api/options.ts'
import type { Preset } from '../images-api/preset.ts'
import { readResult } from '../images-api/reply.ts'
import type { Dialect, Offer, Provider, ProviderRequest } from '../provider.ts'
import { optionsWith, presetOf, type OpenaiOptions, type Presets } from './options.ts'

/** `presets` by the values of the configuration entry `preset`. */
export function createOpenaiDialect(presets: Presets): Dialect<OpenaiOptions> {
  return {
    options: optionsWith(presets),

    // As OpenAI's own clients do.
    fromEnvironment(env) {
      const entry = entryFromEnvironment(env, 'OPENAI')
      if (entry === undefined) return undefined
      return {
        ...entry,
        ...(env.OPENAI_ORG_ID && { organization: env.OPENAI_ORG_ID }),
        ...(env.OPENAI_PROJECT_ID && { project: env.OPENAI_PROJECT_ID }),
      }
    },

    create: (name, options) => createOpenai(name, options, presetOf(presets, options.preset)),
  }
}

function createOpenai(name: string, options: OpenaiOptions, preset: Preset): Provider {
  const client = createImagesClient(name, options, [options.apiKey])
  const modes = { auto: ['SYNC', 'STREAM'], sync: ['SYNC'], stream: ['STREAM'] } as const
  return {
    ...client.provider({
      dialect: 'openai',
      offers: offersOf(options, preset),
      modes: modes[options.mode],
      recovery: 'NONE',
    }),

    async submit(request, call) {
      const message = await preset.message(request, options, wantsStream(request, options, preset))
      return readResult(await client.submit(message, call), request, call, preset.unwrap)
    },
  }
}

function wantsStream({ partialImages }: ProviderRequest, { mode, baseUrl }: OpenaiOptions, preset: Preset) {
  if (mode !== 'auto') return mode === 'stream'
  return partialImages > 0 && preset.previews(baseUrl) !== 'WITHOUT_STREAM'
}

function offersOf({ mode, models, baseUrl }: OpenaiOptions, preset: Preset): Offer[] {
  const offers = preset.offers(models)
  const hasPreviews = mode === 'stream' || (mode === 'auto' && preset.previews(baseUrl) !== 'NONE')
  if (hasPreviews) return offers
  return offers.map((offer) => ({ ...offer, capabilities: { ...offer.capabilities, maxPartialImages: 0 } }))
}
