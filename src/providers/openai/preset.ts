// OpenAI itself, as a preset: platform.openai.com/docs/api-reference/images. It applies where the configuration names no
// other, so also to the many servers that copy this API.
import { toImagesMessage, type Parameters } from '../images-api/message.ts'
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
    /** Sent as `OpenAI-Organization`. */
    organization: credential.optional(),
    /** Sent as `OpenAI-Project`. */
    project: credential.optional(),
  },
  offers: (models = currentModels()) => offersFrom(models),
  // Of other servers nobody has said that they stream.
  previews: (baseUrl) => (new URL(baseUrl).hostname === new URL(BASE_URL).hostname ? 'STREAM' : 'NONE'),

  message(request, account, stream) {
    const { apiKey, organization, project } = account
    const headers = {
      accept: stream ? 'text/event-stream, application/json' : 'application/json',
      authorization: `Bearer ${apiKey}`,
      ...(organization !== undefined && { 'openai-organization': organization }),
      ...(project !== undefined && { 'openai-project': project }),
    }
    const parameters = { ...toParameters(request, account), ...(stream && toStreamParameters(request)) }
    // OpenAI refuses a repeated `image` ("Duplicate parameter").
    return toImagesMessage(request, parameters, headers, request.images.length > 1 ? 'image[]' : 'image')
  },
}

// A model with an announced end must be named in the configuration, or the provider would fail one day without a change.
function currentModels(): string[] {
  const current = CATALOGUE.filter(
    ({ name, retiresOn }) => name.startsWith('gpt-image') && retiresOn === null,
  )
  return current.map(({ name }) => name)
}

// Settings at their default are left out: a model that does not know a parameter refuses it.
function toParameters(request: ProviderRequest, { responseFormat }: PresetAccount): Parameters {
  return {
    model: request.upstreamModel,
    prompt: request.prompt,
    n: request.n,
    ...(wantsSize(request) && { size: request.size }),
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    // The reference lists it for JSON edits, not for multipart ones. A refusal is visible, a dropped setting is not.
    ...(request.moderation !== 'AUTO' && { moderation: request.moderation.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(request.inputFidelity !== null && { input_fidelity: request.inputFidelity.toLowerCase() }),
    ...(request.style !== null && { style: request.style.toLowerCase() }),
    ...(request.user !== null && { user: request.user }),
    // GPT image models return base64 only and refuse the parameter. DALL·E returns a link by default.
    ...(isDalle(request) && { response_format: 'b64_json' }),
    ...(responseFormat !== undefined && { response_format: responseFormat }),
  }
}

function toStreamParameters({ partialImages }: ProviderRequest): Parameters {
  return { stream: true, ...(partialImages > 0 && { partial_images: partialImages }) }
}

// The default size of an edit is 1024x1024, not auto. The DALL·E models know no auto.
function wantsSize(request: ProviderRequest): boolean {
  return request.size !== 'auto' || (request.operation === 'EDIT' && !isDalle(request))
}

function isDalle({ upstreamModel }: ProviderRequest): boolean {
  return upstreamModel.startsWith('dall-e')
}
