import { ProviderError } from '../error.ts'
import { toImagesMessage, toJsonMessage, type Parameters } from '../images-api/message.ts'
import type { Call, ProviderRequest } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import type { AcedataOptions } from './options.ts'

export function isCalledBack({ mode }: AcedataOptions, { callbackUrl }: Pick<Call, 'callbackUrl'>): boolean {
  return callbackUrl !== undefined && (mode === 'auto' || mode === 'callback')
}

/** Throws ProviderError `refused` where the mode needs a callback URL and there is none. */
export async function toMessage(
  request: ProviderRequest,
  call: Pick<Call, 'callbackUrl' | 'clientRef'>,
  options: AcedataOptions & { name: string },
): Promise<Message> {
  const settings = request.operation === 'EDIT' ? toEdit(request, options) : toGeneration(request, options)
  return toImagesMessage(request, { ...settings, ...toDelivery(call, options) }, headersOf(options))
}

/** A check by the task's id, or a lookup by `trace_id`. */
export function toQuery(by: { id: string } | { trace_id: string }, options: AcedataOptions): Message {
  return toJsonMessage('/tasks', { action: 'retrieve', ...by }, headersOf(options))
}

// `trace_id` finds a task whose id was lost ("OpenAI Tasks API").
function toDelivery(
  { callbackUrl, clientRef }: Pick<Call, 'callbackUrl' | 'clientRef'>,
  { mode, name }: AcedataOptions & { name: string },
): Parameters {
  if (mode === 'sync') return {}
  if (mode !== 'async' && callbackUrl !== undefined) return { callback_url: callbackUrl, trace_id: clientRef }
  if (mode !== 'callback') return { async: true, trace_id: clientRef }
  throw new ProviderError({
    kind: 'refused',
    code: 'PROVIDER_MISCONFIGURED',
    message: `Mode callback of ${name} needs a public URL of this gateway. Set PUBLIC_URL, or mode auto or async.`,
    charged: 'NO',
  })
}

function headersOf({ apiKey }: AcedataOptions): Record<string, string> {
  return { accept: 'application/json', authorization: `Bearer ${apiKey}` }
}

// In the order of the page's example, with every default: they may change upstream.
function toGeneration(request: ProviderRequest, options: AcedataOptions): Parameters {
  const isDalle3 = request.upstreamModel.startsWith('dall-e-3')
  return {
    prompt: request.prompt,
    model: request.upstreamModel,
    background: request.background.toLowerCase(),
    moderation: request.moderation.toLowerCase(),
    n: request.n,
    output_compression: request.outputCompression ?? 100,
    output_format: request.outputFormat.toLowerCase(),
    partial_images: 0,
    // The page lists `auto` for GPT image models only.
    ...((request.size !== 'auto' || !isDalle(request)) && { size: request.size }),
    quality: request.quality.toLowerCase(),
    ...toResponseFormat(request, options),
    ...(isDalle3 && { style: (request.style ?? 'VIVID').toLowerCase() }),
  }
}

function toEdit(request: ProviderRequest, options: AcedataOptions): Parameters {
  return {
    prompt: request.prompt,
    model: request.upstreamModel,
    n: request.n,
    // The default is 1024x1024, not auto.
    size: request.size,
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    ...(request.moderation !== 'AUTO' && { moderation: request.moderation.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.inputFidelity !== null && { input_fidelity: request.inputFidelity.toLowerCase() }),
    ...toResponseFormat(request, options),
  }
}

// The reference excludes GPT image models. The guide of gpt-image-2 includes it, with base64 for a single image.
function toResponseFormat(request: ProviderRequest, options: AcedataOptions): Parameters {
  const isHonoured = isDalle(request) || request.upstreamModel.startsWith('gpt-image-2')
  if (!isHonoured) return {}
  return { response_format: request.n === 1 ? options.responseFormat : 'url' }
}

function isDalle({ upstreamModel }: ProviderRequest): boolean {
  return upstreamModel.startsWith('dall-e')
}
