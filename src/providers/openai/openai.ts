// OpenAI's Images API and the many servers that speak it: platform.openai.com/docs/api-reference/images. It answers at
// once, as JSON or as a stream with previews, and knows neither remote ids nor a way to cancel.
import { createImagesApi } from '../images-api/exchange.ts'
import { addressOf, offersOf, openaiOptions, type OpenaiOptions } from './options.ts'
import { toMessage } from './request.ts'
import { unwrapEnvelope } from '../pmock/envelope.ts'
import type { Dialect, Provider, ProviderTraits } from '../provider.ts'

export const openai: Dialect<OpenaiOptions> = {
  options: openaiOptions,

  // The names that OpenAI's own clients read.
  fromEnvironment(env) {
    if (!env.OPENAI_API_KEY) return undefined
    return {
      apiKey: env.OPENAI_API_KEY,
      ...(env.OPENAI_BASE_URL && { baseUrl: env.OPENAI_BASE_URL }),
      ...(env.OPENAI_ORG_ID && { organization: env.OPENAI_ORG_ID }),
      ...(env.OPENAI_PROJECT_ID && { project: env.OPENAI_PROJECT_ID }),
    }
  },

  create: createOpenai,
}

function createOpenai(name: string, options: OpenaiOptions): Provider {
  const { concurrency, timeoutMs, preset } = options
  const api = createImagesApi({
    ...options,
    name,
    baseUrl: addressOf(options),
    secrets: [options.apiKey],
    ...(preset === 'pmock' && { unwrap: unwrapEnvelope }),
  })

  return {
    name,
    dialect: 'openai',
    traits: traitsOf(options),
    offers: offersOf(options),
    concurrency,
    timeoutMs,
    submit: async (request, call) => api.exchange(await toMessage(request, options), request, call),
    close: () => api.close(),
  }
}

function traitsOf({ mode, unbilledServerErrors }: OpenaiOptions): ProviderTraits {
  const modes = { auto: ['SYNC', 'STREAM'], sync: ['SYNC'], stream: ['STREAM'] } as const
  return { modes: modes[mode], recovery: 'NONE', failureCharge: unbilledServerErrors ? 'NO' : 'UNKNOWN' }
}
