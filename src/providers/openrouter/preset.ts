// openrouter.ai/docs, "Generate an image". docs/openrouter.md has each fact with its source.
import { z } from 'zod'
import { VERDICTS } from '../error.ts'
import { toProviderError } from '../images-api/failure.ts'
import { toDataUrl, toJsonMessage } from '../images-api/message.ts'
import type { Preset } from '../images-api/preset.ts'
import { toCostMicros } from '../images-api/usage.ts'
import { NO_LATER_CAPABILITIES } from '../models/catalogue.ts'
import { offersFrom } from '../models/offers.ts'
import type { Capabilities, ProviderRequest, ProviderRequestImage } from '../provider.ts'

export const OPENROUTER: Preset = {
  baseUrl: 'https://openrouter.ai/api/v1',
  options: {},
  offers: (models = [{ name: 'gpt-image-2', upstreamModel: 'openai/gpt-image-2' }]) =>
    offersFrom(models, () => CAPABILITIES),
  partialImages: () => 'STREAM',
  credentials: ({ apiKey }) => ({ authorization: `Bearer ${apiKey}` }),
  modelsPath: '/images/models',
  costIn: ({ usage }) => toCostMicros(usage),

  async message(request, _, stream) {
    const accept = stream ? 'text/event-stream, application/json' : 'application/json'
    return toJsonMessage('/images', await toBody(request, stream), { accept })
  },

  // The request was stopped before any model.
  unwrap(json, reply) {
    const flagged = reply.status === 403 ? MODERATION.safeParse(json).data : undefined
    if (!flagged) return json
    const words = { code: '403', message: flagged.error.message }
    throw toProviderError({ ...VERDICTS.BLOCKED, charged: 'NO' }, words, reply)
  },
}

const MODERATION = z.object({
  error: z.object({ message: z.string().catch(''), metadata: z.object({ reasons: z.array(z.unknown()) }) }),
})

async function toBody(request: ProviderRequest, stream: boolean): Promise<object> {
  const references = await Promise.all(request.images.map(toReference))
  return {
    ...request.extra,
    model: request.upstreamModel,
    prompt: request.prompt,
    n: request.n,
    ...(request.size !== 'auto' && { size: request.size }),
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    // Its default is not documented.
    output_format: request.outputFormat.toLowerCase(),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(references.length > 0 && { input_references: references }),
    // The number of partial images cannot be chosen.
    ...(stream && { stream: true }),
  }
}

async function toReference(image: ProviderRequestImage): Promise<object> {
  return { type: 'image_url', image_url: { url: await toDataUrl(image) } }
}

const CAPABILITIES: Partial<Capabilities> = {
  ...NO_LATER_CAPABILITIES,
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH'],
  moderations: ['AUTO'],
  inputFidelities: [],
  styles: [],
  mask: false,
  user: false,
}
