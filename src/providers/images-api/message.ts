import { FormData } from 'undici'
import type { ProviderRequest, ProviderRequestImage } from '../provider.ts'
import type { Message } from '../wire/http.ts'

export type Parameters = Readonly<Record<string, string | number | boolean>>

/** JSON; a form for an edit. */
export async function toImagesMessage(
  request: ProviderRequest,
  parameters: Parameters,
  headers: Message['headers'],
  imageField = 'image',
): Promise<Message> {
  if (request.operation === 'GENERATE') return toJsonMessage('/images/generations', parameters, headers)
  const body = await toForm(request, parameters, imageField)
  return { method: 'POST', path: '/images/edits', headers, body }
}

export function toJsonMessage(path: string, body: object, headers: Message['headers']): Message {
  const json = { ...headers, 'content-type': 'application/json' }
  return { method: 'POST', path, headers: json, body: JSON.stringify(body) }
}

export async function toDataUrl(image: ProviderRequestImage): Promise<string> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  return `data:${image.mimeType};base64,${bytes.toString('base64')}`
}

/** OpenAI refuses a repeated `image` ("Duplicate parameter"). */
export function toOpenaiMessage(
  request: ProviderRequest,
  parameters: Parameters,
  headers: Message['headers'],
  stream: boolean,
): Promise<Message> {
  const accept = stream ? 'text/event-stream, application/json' : 'application/json'
  const imageField = request.images.length > 1 ? 'image[]' : 'image'
  return toImagesMessage(request, parameters, { accept, ...headers }, imageField)
}

/** Without defaults: models refuse unknown parameters. */
export function toChangedParameters(request: ProviderRequest): Parameters {
  return {
    ...(request.quality !== 'AUTO' && { quality: request.quality.toLowerCase() }),
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    ...(request.moderation !== 'AUTO' && { moderation: request.moderation.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...(request.outputCompression !== null && { output_compression: request.outputCompression }),
    ...(request.inputFidelity !== null && { input_fidelity: request.inputFidelity.toLowerCase() }),
  }
}

export function isDalle({ upstreamModel }: ProviderRequest): boolean {
  return upstreamModel.startsWith('dall-e')
}

async function toForm(
  { images, mask }: ProviderRequest,
  parameters: Parameters,
  imageField: string,
): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  for (const [index, image] of images.entries())
    form.append(imageField, await toFile(image, `image-${index + 1}`))
  if (mask) form.append('mask', await toFile(mask, 'mask'))
  return form
}

// OpenAI refuses application/octet-stream ("unsupported mimetype").
async function toFile(image: ProviderRequestImage, name: string): Promise<File> {
  const extension = image.mimeType.slice('image/'.length)
  return new File([await image.blob()], `${name}.${extension}`, { type: image.mimeType })
}
