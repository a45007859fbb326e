import { FormData } from 'undici'
import type { Message } from '../wire/http.ts'
import type { ProviderRequest, ProviderRequestImage } from '../provider.ts'
import { toCompatParameters } from '../pmock/compat.ts'
import type { OpenaiOptions } from './options.ts'

/**
 * An order as the HTTP message that places it. What the client left open is left out, so that a model which does not
 * know a parameter never sees it.
 */
export async function toMessage(request: ProviderRequest, options: OpenaiOptions): Promise<Message> {
  const stream = wantsStream(request, options)
  const parameters = {
    ...(options.preset === 'pmock' ? toCompatParameters(request, options) : toParameters(request, options)),
    ...(stream && streaming(request, options)),
  }
  const accept = stream ? 'text/event-stream, application/json' : 'application/json'
  const headers = { accept, ...toHeaders(options) }
  if (request.operation === 'EDIT') {
    return { method: 'POST', path: '/images/edits', headers, body: await toForm(parameters, request) }
  }
  return {
    method: 'POST',
    path: '/images/generations',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  }
}

type Parameters = Record<string, string | number | boolean>

function wantsStream({ partialImages }: ProviderRequest, { mode, preset }: OpenaiOptions): boolean {
  // The preset's page has a field for previews and none for a stream.
  return mode === 'stream' || (mode === 'auto' && partialImages > 0 && preset === undefined)
}

function toParameters(request: ProviderRequest, { responseFormat }: OpenaiOptions): Parameters {
  return {
    model: request.upstreamModel,
    prompt: request.prompt,
    n: request.n,
    // Left out, an edit's size is 1024x1024 and not auto; the DALL·E models know no auto.
    ...(wantsSize(request) && { size: request.size }),
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    // The reference lists it for JSON edits and not for multipart ones. Sent all the same: a refusal can be read, a
    // setting that was dropped cannot.
    ...(request.moderation !== 'AUTO' && { moderation: request.moderation.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(request.inputFidelity !== null && { input_fidelity: request.inputFidelity.toLowerCase() }),
    ...(request.style !== null && { style: request.style.toLowerCase() }),
    ...(request.user !== null && { user: request.user }),
    // GPT image models always answer in base64 and refuse the parameter; DALL·E answers with a link unless told.
    ...(isDalle(request) && { response_format: 'b64_json' }),
    ...(responseFormat !== undefined && { response_format: responseFormat }),
  }
}

function streaming({ partialImages }: ProviderRequest, { preset }: OpenaiOptions): Parameters {
  return { stream: true, ...(partialImages > 0 && preset === undefined && { partial_images: partialImages }) }
}

function wantsSize(request: ProviderRequest): boolean {
  return request.size !== 'auto' || (request.operation === 'EDIT' && !isDalle(request))
}

function isDalle(request: ProviderRequest): boolean {
  return request.upstreamModel.startsWith('dall-e')
}

function toHeaders({ apiKey, organization, project }: OpenaiOptions): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  }
}

async function toForm(parameters: Parameters, { images, mask }: ProviderRequest): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  const name = images.length > 1 ? 'image[]' : 'image'
  for (const [index, image] of images.entries()) await appendImage(form, name, `image-${index + 1}`, image)
  if (mask) await appendImage(form, 'mask', 'mask', mask)
  return form
}

// A part without a real content type is refused as application/octet-stream ("unsupported mimetype").
async function appendImage(
  form: FormData,
  name: string,
  fileName: string,
  image: ProviderRequestImage,
): Promise<void> {
  const extension = image.mimeType.slice('image/'.length)
  form.append(name, new File([await image.blob()], `${fileName}.${extension}`, { type: image.mimeType }))
}
