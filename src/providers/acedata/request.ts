import { FormData } from 'undici'
import { ProviderError } from '../error.ts'
import type { Message } from '../wire/http.ts'
import type { Call, Order, OrderImage } from '../provider.ts'
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
export async function toMessage(order: Order, call: Ours, options: AcedataOptions): Promise<Message> {
  const answer = answerOf(options, call)
  const headers = headersOf(options)
  if (order.operation === 'EDIT') {
    const body = await toForm({ ...toEdit(order, options), ...answer }, order)
    return { method: 'POST', path: '/images/edits', headers, body }
  }
  const body = JSON.stringify({ ...toGeneration(order, options), ...answer })
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
function toGeneration(order: Order, options: AcedataOptions): Parameters {
  const isDalle3 = order.upstreamModel.startsWith('dall-e-3')
  return {
    prompt: order.prompt,
    model: order.upstreamModel,
    background: order.background.toLowerCase(),
    moderation: order.moderation.toLowerCase(),
    n: order.n,
    output_compression: order.outputCompression ?? 100,
    output_format: order.outputFormat.toLowerCase(),
    partial_images: 0,
    // The list of sizes has an `auto` for GPT image models alone.
    ...((order.size !== 'auto' || !isDalle(order)) && { size: order.size }),
    quality: order.quality.toLowerCase(),
    ...responseFormat(order, options),
    ...(isDalle3 && { style: (order.style ?? 'VIVID').toLowerCase() }),
  }
}

function toEdit(order: Order, options: AcedataOptions): Parameters {
  return {
    prompt: order.prompt,
    model: order.upstreamModel,
    n: order.n,
    // Left out it is 1024x1024, and not auto.
    size: order.size,
    ...(order.background !== 'AUTO' && { background: order.background.toLowerCase() }),
    ...(order.moderation !== 'AUTO' && { moderation: order.moderation.toLowerCase() }),
    ...(order.outputFormat !== 'PNG' && { output_format: order.outputFormat.toLowerCase() }),
    ...(order.outputCompression !== null && { output_compression: order.outputCompression }),
    ...(order.quality !== 'AUTO' && { quality: order.quality.toLowerCase() }),
    ...(order.inputFidelity !== null && { input_fidelity: order.inputFidelity.toLowerCase() }),
    ...responseFormat(order, options),
  }
}

// The reference has it for DALL·E models and says that GPT image models do not take it. The guide of gpt-image-2 says
// that it does, in base64 for a single picture.
function responseFormat(order: Order, options: AcedataOptions): Parameters {
  const isHonoured = isDalle(order) || order.upstreamModel.startsWith('gpt-image-2')
  if (!isHonoured) return {}
  return { response_format: order.n === 1 ? options.responseFormat : 'url' }
}

function isDalle({ upstreamModel }: Order): boolean {
  return upstreamModel.startsWith('dall-e')
}

// The JSON form of an edit takes addresses only, and a mask works with uploaded files only.
async function toForm(parameters: Parameters, { images, mask }: Order): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  for (const [index, image] of images.entries()) await appendImage(form, 'image', `image-${index + 1}`, image)
  if (mask) await appendImage(form, 'mask', 'mask', mask)
  return form
}

async function appendImage(form: FormData, field: string, name: string, image: OrderImage): Promise<void> {
  const extension = image.mimeType.slice('image/'.length)
  form.append(field, new File([await image.blob()], `${name}.${extension}`, { type: image.mimeType }))
}
