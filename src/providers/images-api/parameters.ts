import type { ProviderRequest } from '../provider.ts'
import { isDalle, toChangedParameters, type Parameters } from './message.ts'
import type { PresetAccount } from './preset.ts'

/** As OpenAI names them, of JSON or a form. */
export function toOpenaiParameters(
  request: ProviderRequest,
  { responseFormat }: PresetAccount,
  stream: boolean,
): Parameters {
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
    ...(stream && toStreamParameters(request)),
  }
}

function toStreamParameters({ partialImages }: ProviderRequest): Parameters {
  return { stream: true, ...(partialImages > 0 && { partial_images: partialImages }) }
}

// An edit's default is 1024x1024, not auto. DALL·E has no auto.
function wantsSize(request: ProviderRequest): boolean {
  return request.size !== 'auto' || (request.operation === 'EDIT' && !isDalle(request))
}
