// learn.microsoft.com, "How to use Azure OpenAI image generation models". docs/azure.md has each fact with its source.
import { z } from 'zod'
import { toOpenaiMessage } from '../images-api/message.ts'
import { toOpenaiParameters } from '../images-api/parameters.ts'
import type { Preset } from '../images-api/preset.ts'
import { NO_LATER_CAPABILITIES } from '../models/catalogue.ts'
import { offersFrom, type ModelsOption } from '../models/offers.ts'
import type { Capabilities } from '../provider.ts'

interface OwnOptions {
  apiVersion?: string | undefined
}

const DEFAULT_API_VERSION = '2025-04-01-preview'

export const AZURE: Preset<OwnOptions> = {
  // Each resource has a host of its own.
  baseUrl: null,
  options: {
    apiVersion: z
      .string()
      .regex(/^[\w.-]+$/, 'must be a version such as 2025-04-01-preview')
      .optional(),
  },
  offers: (models = ['gpt-image-2']) => offersFrom(models.map(withoutDates), () => CAPABILITIES),
  partialImages: () => 'STREAM',
  credentials: ({ apiKey }) => ({ 'api-key': apiKey }),
  // Its list has base models; requests name deployments.
  modelsPath: null,

  async message(request, account, stream) {
    const { apiVersion = DEFAULT_API_VERSION } = account
    const message = await toOpenaiMessage(request, toOpenaiParameters(request, account, stream), stream)
    const deployment = `/openai/deployments/${encodeURIComponent(request.upstreamModel)}`
    return { ...message, path: `${deployment}${message.path}?api-version=${apiVersion}` }
  },
}

/** Azure retires models on dates of its own. */
function withoutDates(model: ModelsOption[number]): ModelsOption[number] {
  return { retiresOn: null, successor: null, ...(typeof model === 'string' ? { name: model } : model) }
}

const CAPABILITIES: Partial<Capabilities> = {
  ...NO_LATER_CAPABILITIES,
  moderations: ['AUTO'],
  // "WEBP images aren't supported."
  outputFormats: ['PNG', 'JPEG'],
}
