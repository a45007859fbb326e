// docs.pmock.com, "openai compat generate".
import { z } from 'zod'
import { toNamedParameters, toOpenaiMessage, type Parameters } from '../images-api/message.ts'
import type { Preset, PresetAccount } from '../images-api/preset.ts'
import { offersFrom } from '../models/offers.ts'
import type { Capabilities, ProviderRequest } from '../provider.ts'
import { COMPAT_ENVELOPE } from './envelope.ts'
import { ASYNC_CAPABILITIES } from './options.ts'

interface OwnOptions {
  naming?: 'snake' | 'camel' | undefined
}

export const PMOCK: Preset<OwnOptions> = {
  baseUrl: 'https://ai.pmock.com/api/ai/openai/v1',
  options: {
    /** `snake`: sample client (default); `camel`: table. */
    naming: z.enum(['snake', 'camel']).optional(),
  },
  offers: (models = ['gpt-image-2']) => offersFrom(models, () => CAPABILITIES),
  // No documented stream field.
  partialImages: () => 'WITHOUT_STREAM',

  credentials: ({ apiKey }) => ({ authorization: `Bearer ${apiKey}` }),

  message(request, account, stream) {
    const parameters = { ...toParameters(request, account), ...(stream && { stream: true }) }
    // No documented edits; operators may turn them on.
    return toOpenaiMessage(request, parameters, stream)
  },

  ...COMPAT_ENVELOPE,
}

// Sends `auto`: the default size is 1024x1024, other defaults are undocumented.
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
    ...toNamedParameters(request),
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
      value === null || value === undefined
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

const CAPABILITIES: Capabilities = {
  ...ASYNC_CAPABILITIES,
  operations: ['GENERATE'],
  sizes: {
    kind: 'list',
    auto: true,
    values: ['1024x1024', '1024x1536', '1536x1024', '2048x2048', '2048x1152', '3840x2160', '2160x3840'],
  },
  maxInputImages: 0,
  mask: false,
  maxPartialImages: 3,
  user: true,
}
