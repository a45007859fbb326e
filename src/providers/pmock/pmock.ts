// docs.pmock.com, "openai generate async".
import { systemClock, type Clock } from '../../clock.ts'
import { createImagesClient } from '../images-api/client.ts'
import { toDataUrl, toJsonMessage, toNamedParameters } from '../images-api/message.ts'
import { offersFrom } from '../models/offers.ts'
import type { Dialect, Provider, ProviderRequest } from '../provider.ts'
import { ASYNC_CAPABILITIES, pmockOptions, type PmockOptions } from './options.ts'
import { readSubmitted, readTask } from './reply.ts'
import { signatureHeaders } from './signature.ts'

export const pmock: Dialect<PmockOptions> = {
  options: pmockOptions,

  // The access key alone: OpenAI-compatible route.
  fromEnvironment({ PMOCK_ACCESS_KEY: accessKey, PMOCK_SECRET_KEY: secretKey, PMOCK_BASE_URL: baseUrl }) {
    return accessKey && secretKey ? { accessKey, secretKey, ...(baseUrl && { baseUrl }) } : undefined
  },

  create: (name, options) => createPmock(name, options, systemClock),
}

/** The clock: signatures are valid for a minute. */
export function createPmock(name: string, options: PmockOptions, { now }: Pick<Clock, 'now'>): Provider {
  const { accessKey, secretKey = '', pollMs } = options
  const client = createImagesClient(name, options, [accessKey, secretKey])
  const offers = offersFrom(options.models, () => ASYNC_CAPABILITIES)

  function credentials(): Record<string, string> {
    if (options.auth === 'bearer') return { authorization: `Bearer ${accessKey}` }
    return signatureHeaders({ ...options, secretKey }, now())
  }

  return {
    ...client.provider({ dialect: 'pmock', offers, modes: ['POLL'], recovery: 'REMOTE_ID' }),

    async submit(request, call) {
      const body = await toBody(request, options.responseFormat)
      const message = toJsonMessage('/images/generate', body, credentials())
      return readSubmitted(await client.submit(message, call), call, pollMs)
    },

    async check(remoteId, _settings, call) {
      const path = options.taskPath.replaceAll('{id}', encodeURIComponent(remoteId))
      const reply = await client.ask({ method: 'GET', path, headers: credentials() }, call)
      return readTask(reply, call, pollMs)
    },
  }
}

// Sends `auto`: no defaults are documented. `image` makes it an edit.
async function toBody(request: ProviderRequest, responseFormat: 'url' | 'b64_json'): Promise<object> {
  const { images, mask, markup } = request
  return {
    ...request.extra,
    prompt: request.prompt,
    model: request.upstreamModel,
    size: request.size,
    n: request.n,
    quality: request.quality.toLowerCase(),
    background: request.background.toLowerCase(),
    outputFormat: request.outputFormat.toLowerCase(),
    outputCompression: request.outputCompression ?? undefined,
    moderation: request.moderation.toLowerCase(),
    responseFormat,
    inputFidelity: request.inputFidelity?.toLowerCase(),
    ...toNamedParameters(request),
    image: images.length > 0 ? await Promise.all(images.map(toDataUrl)) : undefined,
    mask: mask ? await toDataUrl(mask) : undefined,
    markup: markup ? await toDataUrl(markup) : undefined,
  }
}
