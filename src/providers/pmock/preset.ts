// docs.pmock.com, "openai compat generate".
import { z } from 'zod'
import { toImagesMessage, type Parameters } from '../images-api/message.ts'
import type { Preset, PresetAccount } from '../images-api/preset.ts'
import { offersFrom } from '../models/offers.ts'
import type { ProviderRequest } from '../provider.ts'
import { COMPAT_CAPABILITIES } from './capabilities.ts'
import { unwrapEnvelope } from './envelope.ts'

interface OwnOptions {
  naming?: 'snake' | 'camel' | undefined
}

export const PMOCK: Preset<OwnOptions> = {
  /** As in the page's sample client. */
  baseUrl: 'https://ai.pmock.com/api/ai/openai/v1',
  options: {
    /** `snake` as in the page's sample client (the default), or `camel` as in its table. */
    naming: z.enum(['snake', 'camel']).optional(),
  },
  offers: (models = ['gpt-image-2']) => offersFrom(models, () => COMPAT_CAPABILITIES),
  // The page has a field for partial images and none for streams.
  previews: () => 'WITHOUT_STREAM',

  message(request, account, stream) {
    const headers = {
      accept: stream ? 'text/event-stream, application/json' : 'application/json',
      authorization: `Bearer ${account.apiKey}`,
    }
    const parameters = { ...toParameters(request, account), ...(stream && { stream: true }) }
    // The page lists no edits. An operator may turn them on.
    return toImagesMessage(request, parameters, headers, request.images.length > 1 ? 'image[]' : 'image')
  },

  unwrap: unwrapEnvelope,
}

// `auto` is sent: the default size is 1024x1024, other defaults are not documented.
function toParameters(
  request: ProviderRequest,
  { naming = 'snake', responseFormat = 'b64_json' }: PresetAccount & OwnOptions,
): Parameters {
  const fields = {
    prompt: request.prompt,
    model: request.upstreamModel,
    background: request.background.toLowerCase(),
    moderation: request.moderation.toLowerCase(),
    n: request.n,
    outputCompression: request.outputCompression,
    outputFormat: request.outputFormat.toLowerCase(),
    partialImages: request.partialImages === 0 ? null : request.partialImages,
    quality: request.quality.toLowerCase(),
    responseFormat,
    size: request.size,
    inputFidelity: request.inputFidelity?.toLowerCase() ?? null,
    user: request.user,
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, string | number][] =>
      value === null
        ? []
        : [
            [
              naming === 'camel' ? name : name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
              value,
            ],
          ],
    ),
  )
}
