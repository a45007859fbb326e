// pmock's tasks: docs.pmock.com, "openai generate async". One route creates generations and edits. The route of checks
// is on none of its pages, so it is configuration.
import { systemClock, type Clock } from '../../clock.ts'
import { createImagesClient } from '../images-api/client.ts'
import { toDataUrl, toJsonMessage } from '../images-api/message.ts'
import { offersByPage } from '../models/offers.ts'
import type { Dialect, Provider, ProviderRequest } from '../provider.ts'
import { ASYNC_CAPABILITIES } from './capabilities.ts'
import { pmockOptions, type PmockOptions } from './options.ts'
import { readSubmitted, readTask } from './reply.ts'
import { signatureHeaders } from './signature.ts'

export const pmock: Dialect<PmockOptions> = {
  options: pmockOptions,

  // The access key alone is for the OpenAI-compatible route.
  fromEnvironment({ PMOCK_ACCESS_KEY: accessKey, PMOCK_SECRET_KEY: secretKey, PMOCK_BASE_URL: baseUrl }) {
    return accessKey && secretKey ? { accessKey, secretKey, ...(baseUrl && { baseUrl }) } : undefined
  },

  create: (name, options) => createPmock(name, options, systemClock),
}

/** Signatures need the clock: they are valid for a minute. */
export function createPmock(name: string, options: PmockOptions, { now }: Pick<Clock, 'now'>): Provider {
  const { accessKey, secretKey = '', concurrency, timeoutMs, pollMs, unbilledFailures } = options
  const client = createImagesClient({
    ...options,
    name,
    secrets: [accessKey, secretKey],
    unbilled: unbilledFailures ? 'FAILURES' : 'NOTHING',
  })

  function credentials(): Record<string, string> {
    if (options.auth === 'bearer') return { authorization: `Bearer ${accessKey}` }
    return signatureHeaders({ ...options, secretKey }, now())
  }

  return {
    name,
    dialect: 'pmock',
    traits: { modes: ['POLL'], recovery: 'REMOTE_ID', failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN' },
    offers: offersByPage(options.models, () => ASYNC_CAPABILITIES),
    concurrency,
    timeoutMs,

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

    close: () => client.close(),
  }
}

// The page's fields in its order. With `image` it is an edit. `auto` is sent: the page states no defaults.
async function toBody(request: ProviderRequest, responseFormat: 'url' | 'b64_json'): Promise<object> {
  const { images, mask } = request
  return {
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
    image: images.length > 0 ? await Promise.all(images.map(toDataUrl)) : undefined,
    mask: mask ? await toDataUrl(mask) : undefined,
  }
}
