import { FormData } from 'undici'
import { ProviderError } from '../error.ts'
import type { Message } from '../wire/http.ts'
import type { Call, ProviderRequest, ProviderRequestImage } from '../provider.ts'
import type { AcedataOptions } from './options.ts'

/** Whether the upstream is given an address to call back. */
export function isCalledBack({ mode }: AcedataOptions, { callbackUrl }: Pick<Call, 'callbackUrl'>): boolean {
  return callbackUrl !== undefined && (mode === 'auto' || mode === 'callback')
}

type Ours = Pick<Call, 'callbackUrl' | 'clientRef'>

/**
 * How an order asks to be answered. A task also carries our own id for it, by which its record can be asked for when the
 * answer with the task's id was lost ("OpenAI Tasks API").
 */
function answerOf({ mode }: AcedataOptions, { callbackUrl, clientRef }: Ours): Parameters {
  if (mode === 'sync') return {}
  if (mode !== 'async' && callbackUrl !== undefined) return { callback_url: callbackUrl, trace_id: clientRef }
  if (mode !== 'callback') return { async: true, trace_id: clientRef }
  throw new ProviderError({
    kind: 'refused',
    code: 'PROVIDER_MISCONFIGURED',
    message: 'The provider is to call back, but this gateway has no public URL that it could call.',
    charged: 'NO',
  })
}

/** An order as the message that places it. Throws ProviderError `refused` where the mode wants a callback and none can come. */
export async function toMessage(
  request: ProviderRequest,
  call: Ours,
  options: AcedataOptions,
): Promise<Message> {
  const answer = answerOf(options, call)
  const headers = headersOf(options)
  if (request.operation === 'EDIT') {
    const body = await toForm({ ...toEdit(request, options), ...answer }, request)
    return { method: 'POST', path: '/images/edits', headers, body }
  }
  const body = JSON.stringify({ ...toGeneration(request, options), ...answer })
  return { method: 'POST', path: '/images/generations', headers: { ...headers, ...JSON_TYPE }, body }
}

/** The question about a task, by its own id or by the one that we gave it. */
export function toQuestion(by: { id: string } | { trace_id: string }, options: AcedataOptions): Message {
  const body = JSON.stringify({ action: 'retrieve', ...by })
  return { method: 'POST', path: '/tasks', headers: { ...headersOf(options), ...JSON_TYPE }, body }
}

const JSON_TYPE = { 'content-type': 'application/json' }

function headersOf({ apiKey }: AcedataOptions): Record<string, string> {
  return { accept: 'application/json', authorization: `Bearer ${apiKey}` }
}

type Parameters = Record<string, string | number | boolean>

// The page's example says every default aloud, in this order, and so does this: a default that changes there changes
// nothing for an order.
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
    // The list of sizes has an `auto` for GPT image models alone.
    ...((request.size !== 'auto' || !isDalle(request)) && { size: request.size }),
    quality: request.quality.toLowerCase(),
    ...responseFormat(request, options),
    ...(isDalle3 && { style: (request.style ?? 'VIVID').toLowerCase() }),
  }
}

function toEdit(request: ProviderRequest, options: AcedataOptions): Parameters {
  return {
    prompt: request.prompt,
    model: request.upstreamModel,
    n: request.n,
    // Left out it is 1024x1024, and not auto.
    size: request.size,
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    ...(request.moderation !== 'AUTO' && { moderation: request.moderation.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.inputFidelity !== null && { input_fidelity: request.inputFidelity.toLowerCase() }),
    ...responseFormat(request, options),
  }
}

// The reference has it for DALL·E models and says that GPT image models do not take it. The guide of gpt-image-2 says
// that it does, in base64 for a single picture.
function responseFormat(request: ProviderRequest, options: AcedataOptions): Parameters {
  const isHonoured = isDalle(request) || request.upstreamModel.startsWith('gpt-image-2')
  if (!isHonoured) return {}
  return { response_format: request.n === 1 ? options.responseFormat : 'url' }
}

function isDalle({ upstreamModel }: ProviderRequest): boolean {
  return upstreamModel.startsWith('dall-e')
}

// The JSON form of an edit takes addresses only, and a mask works with uploaded files only.
async function toForm(parameters: Parameters, { images, mask }: ProviderRequest): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  for (const [index, image] of images.entries()) await appendImage(form, 'image', `image-${index + 1}`, image)
  if (mask) await appendImage(form, 'mask', 'mask', mask)
  return form
}

async function appendImage(
  form: FormData,
  field: string,
  name: string,
  image: ProviderRequestImage,
): Promise<void> {
  const extension = image.mimeType.slice('image/'.length)
  form.append(field, new File([await image.blob()], `${name}.${extension}`, { type: image.mimeType }))
}
