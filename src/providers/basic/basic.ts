// OceanBase Cloud: en.oceanbase.com/docs, "Use the gpt-image-2 model for text-to-image generation".
import { z } from 'zod'
import { createImagesClient } from '../images-api/client.ts'
import { toJsonMessage } from '../images-api/message.ts'
import { callOptions, credential, httpUrl, unbilledServerErrors } from '../images-api/options.ts'
import { readResult } from '../images-api/reply.ts'
import { modelsOption, offersFrom, TEXT_TO_IMAGE, type ModelsOption } from '../models/offers.ts'
import type { Capabilities, Dialect, Provider } from '../provider.ts'

const options = z.strictObject({
  /** Per account. Ends in `/api/v1`. */
  baseUrl: httpUrl,
  apiKey: credential,
  models: modelsOption
    .refine((models) => models.every(isSendable), {
      error:
        'can only change the capabilities that the four fields express: sizes, maxN, maxPromptLength and extra',
    })
    .default(['gpt-image-2']),
  /** Sent for `auto`. */
  defaultSize: z
    .string()
    .regex(/^[1-9]\d*x[1-9]\d*$/, 'must be WIDTHxHEIGHT')
    .default('1024x1024'),
  ...callOptions,
  unbilledServerErrors,
})

export type BasicOptions = z.output<typeof options>

export const basic: Dialect<BasicOptions> = {
  options,
  fromEnvironment({ BASIC_API_KEY: apiKey, BASIC_BASE_URL: baseUrl }) {
    return apiKey && baseUrl ? { apiKey, baseUrl } : undefined
  },
  create: createBasic,
}

function createBasic(name: string, settings: BasicOptions): Provider {
  const { apiKey, defaultSize, models } = settings
  const client = createImagesClient(name, settings, [apiKey])
  const offers = offersFrom(models, () => CAPABILITIES)
  return {
    ...client.provider({ dialect: 'basic', offers, modes: ['SYNC'], recovery: 'NONE' }),

    async submit(request, call) {
      const size = request.size === 'auto' ? defaultSize : request.size
      const { upstreamModel: model, prompt, n } = request
      const headers = { authorization: `Bearer ${apiKey}` }
      const message = toJsonMessage(
        '/images/generations',
        { ...request.extra, model, prompt, size, n },
        headers,
      )
      const answer = await readResult(await client.submit(message, call), request, call)
      return answer.state === 'DONE' ? { ...answer, resolved: { size, ...answer.resolved } } : answer
    },
  }
}

function isSendable(model: ModelsOption[number]): boolean {
  const changed = typeof model === 'string' ? {} : (model.capabilities ?? {})
  return Object.keys(changed).every((name) => ['sizes', 'maxN', 'maxPromptLength', 'extra'].includes(name))
}

// The page limits neither `size` nor `n`; 10 is Darkroom's maximum.
const CAPABILITIES: Partial<Capabilities> = { ...TEXT_TO_IMAGE, maxN: 10 }
