import { FormData } from 'undici'
import type { Message } from '../wire/http.ts'
import type { Order, OrderImage } from '../provider.ts'
import { toCompatParameters } from '../pmock/compat.ts'
import type { OpenaiOptions } from './options.ts'

/**
 * An order as the HTTP message that places it. What the client left open is left out, so that a model which does not
 * know a parameter never sees it.
 */
export async function toMessage(order: Order, options: OpenaiOptions): Promise<Message> {
  const stream = wantsStream(order, options)
  const parameters = {
    ...(options.preset === 'pmock' ? toCompatParameters(order, options) : toParameters(order, options)),
    ...(stream && streaming(order, options)),
  }
  const accept = stream ? 'text/event-stream, application/json' : 'application/json'
  const headers = { accept, ...toHeaders(options) }
  if (order.operation === 'EDIT') {
    return { method: 'POST', path: '/images/edits', headers, body: await toForm(parameters, order) }
  }
  return {
    method: 'POST',
    path: '/images/generations',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  }
}

type Parameters = Record<string, string | number | boolean>

function wantsStream({ partialImages }: Order, { mode, preset }: OpenaiOptions): boolean {
  // The preset's page has a field for previews and none for a stream.
  return mode === 'stream' || (mode === 'auto' && partialImages > 0 && preset === undefined)
}

function toParameters(order: Order, { responseFormat }: OpenaiOptions): Parameters {
  return {
    model: order.upstreamModel,
    prompt: order.prompt,
    n: order.n,
    // Left out, an edit's size is 1024x1024 and not auto; the DALL·E models know no auto.
    ...(wantsSize(order) && { size: order.size }),
    ...(order.quality !== 'AUTO' && { quality: order.quality.toLowerCase() }),
    ...(order.background !== 'AUTO' && { background: order.background.toLowerCase() }),
    // The reference lists it for JSON edits and not for multipart ones. Sent all the same: a refusal can be read, a
    // setting that was dropped cannot.
    ...(order.moderation !== 'AUTO' && { moderation: order.moderation.toLowerCase() }),
    ...(order.outputFormat !== 'PNG' && { output_format: order.outputFormat.toLowerCase() }),
    ...(order.outputCompression !== null && { output_compression: order.outputCompression }),
    ...(order.inputFidelity !== null && { input_fidelity: order.inputFidelity.toLowerCase() }),
    ...(order.style !== null && { style: order.style.toLowerCase() }),
    ...(order.user !== null && { user: order.user }),
    // GPT image models always answer in base64 and refuse the parameter; DALL·E answers with a link unless told.
    ...(isDalle(order) && { response_format: 'b64_json' }),
    ...(responseFormat !== undefined && { response_format: responseFormat }),
  }
}

function streaming({ partialImages }: Order, { preset }: OpenaiOptions): Parameters {
  return { stream: true, ...(partialImages > 0 && preset === undefined && { partial_images: partialImages }) }
}

function wantsSize(order: Order): boolean {
  return order.size !== 'auto' || (order.operation === 'EDIT' && !isDalle(order))
}

function isDalle(order: Order): boolean {
  return order.upstreamModel.startsWith('dall-e')
}

function toHeaders({ apiKey, organization, project }: OpenaiOptions): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  }
}

async function toForm(parameters: Parameters, { images, mask }: Order): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  const name = images.length > 1 ? 'image[]' : 'image'
  for (const [index, image] of images.entries()) await appendImage(form, name, `image-${index + 1}`, image)
  if (mask) await appendImage(form, 'mask', 'mask', mask)
  return form
}

// A part without a real content type is refused as application/octet-stream ("unsupported mimetype").
async function appendImage(form: FormData, name: string, fileName: string, image: OrderImage): Promise<void> {
  const extension = image.mimeType.slice('image/'.length)
  form.append(name, new File([await image.blob()], `${fileName}.${extension}`, { type: image.mimeType }))
}
