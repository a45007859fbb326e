import { isDalle, toChangedParameters, toOpenaiMessage, type Parameters } from '../images-api/message.ts'
import { credential } from '../images-api/options.ts'
import type { Preset, PresetAccount } from '../images-api/preset.ts'
import { CATALOGUE } from '../models/catalogue.ts'
import { offersFrom } from '../models/offers.ts'
import type { ProviderRequest } from '../provider.ts'

interface OwnOptions {
  organization?: string | undefined
  project?: string | undefined
}

const BASE_URL = 'https://api.openai.com/v1'

export const OPENAI: Preset<OwnOptions> = {
  baseUrl: BASE_URL,
  options: {
    organization: credential.optional(),
    project: credential.optional(),
  },
  offers: (models = currentModels()) => offersFrom(models),
  // Others may not stream.
  partialImages: (baseUrl) => (new URL(baseUrl).hostname === new URL(BASE_URL).hostname ? 'STREAM' : 'NONE'),

  message(request, account, stream) {
    const { apiKey, organization, project } = account
    const headers = {
      authorization: `Bearer ${apiKey}`,
      ...(organization !== undefined && { 'openai-organization': organization }),
      ...(project !== undefined && { 'openai-project': project }),
    }
    const parameters = { ...toParameters(request, account), ...(stream && toStreamParameters(request)) }
    return toOpenaiMessage(request, parameters, headers, stream)
  },
}

// Models with an announced end must be named: they will fail one day.
function currentModels(): string[] {
  const names = CATALOGUE.flatMap(({ name, retiresOn }) => (retiresOn === null ? [name] : []))
  return names.filter((name) => name.startsWith('gpt-image'))
}

function toParameters(request: ProviderRequest, { responseFormat }: PresetAccount): Parameters {
  return {
    model: request.upstreamModel,
    prompt: request.prompt,
    n: request.n,
    ...(wantsSize(request) && { size: request.size }),
    // Not all are listed for multipart edits. Refusals are visible, dropped settings not.
    ...toChangedParameters(request),
    ...(request.style !== null && { style: request.style.toLowerCase() }),
    ...(request.user !== null && { user: request.user }),
    // GPT image models return base64 and refuse it. DALL·E's default is a link.
    ...(isDalle(request) && { response_format: 'b64_json' }),
    ...(responseFormat !== undefined && { response_format: responseFormat }),
  }
}

function toStreamParameters({ partialImages }: ProviderRequest): Parameters {
  return { stream: true, ...(partialImages > 0 && { partial_images: partialImages }) }
}

// An edit's default is 1024x1024, not auto. DALL·E has no auto.
function wantsSize(request: ProviderRequest): boolean {
  return request.size !== 'auto' || (request.operation === 'EDIT' && !isDalle(request))
}
