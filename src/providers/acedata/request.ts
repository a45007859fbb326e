import { ProviderError, VERDICTS } from '../error.ts'
import {
  isDalle,
  toChangedParameters,
  toImagesMessage,
  toJsonMessage,
  toLaterParameters,
  type Parameters,
} from '../images-api/message.ts'
import type { Call, ProviderRequest } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import type { AcedataOptions } from './options.ts'

export function isCalledBack({ mode }: AcedataOptions, { callbackUrl }: Pick<Call, 'callbackUrl'>): boolean {
  return callbackUrl !== undefined && (mode === 'auto' || mode === 'callback')
}

/** Throws ProviderError `refused` without a callback URL. */
export async function toMessage(
  request: ProviderRequest,
  call: Pick<Call, 'callbackUrl' | 'clientRef'>,
  options: AcedataOptions & { name: string },
): Promise<Message> {
  const settings = request.operation === 'EDIT' ? toEdit(request, options) : toGeneration(request, options)
  return toImagesMessage(request, { ...settings, ...toDelivery(call, options) }, headersOf(options))
}

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
  const message = `Mode callback of ${name} needs a public URL of this gateway. Set PUBLIC_URL, or mode auto or async.`
  throw new ProviderError({ ...VERDICTS.MISCONFIGURED, message })
}

function headersOf({ apiKey }: AcedataOptions): Record<string, string> {
  return { accept: 'application/json', authorization: `Bearer ${apiKey}` }
}

// Sends every default: they may change upstream.
function toGeneration(request: ProviderRequest, options: AcedataOptions): Parameters {
  // A GIF or SVG has none.
  const hasCompression = !['GIF', 'SVG'].includes(request.outputFormat)
  const isDalle3 = request.upstreamModel.startsWith('dall-e-3')
  return {
    prompt: request.prompt,
    model: request.upstreamModel,
    background: request.background.toLowerCase(),
    moderation: request.moderation.toLowerCase(),
    n: request.n,
    ...(hasCompression && { output_compression: request.outputCompression ?? 100 }),
    output_format: request.outputFormat.toLowerCase(),
    partial_images: 0,
    // `auto`: GPT image models only.
    ...((request.size !== 'auto' || !isDalle(request)) && { size: request.size }),
    quality: request.quality.toLowerCase(),
    ...toResponseFormat(request, options),
    ...toLaterParameters(request),
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
    ...toChangedParameters(request),
    ...toResponseFormat(request, options),
  }
}

// The reference excludes GPT image models; gpt-image-2's guide includes it.
function toResponseFormat(request: ProviderRequest, options: AcedataOptions): Parameters {
  const isHonoured = isDalle(request) || request.upstreamModel.startsWith('gpt-image-2')
  if (!isHonoured) return {}
  return { response_format: request.n === 1 ? options.responseFormat : 'url' }
}
