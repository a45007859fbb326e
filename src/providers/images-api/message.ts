import { FormData } from 'undici'
import type { ProviderRequest, ProviderRequestImage } from '../provider.ts'
import type { Message } from '../wire/http.ts'

export type Parameters = Readonly<Record<string, unknown>>

/** JSON; a form for an edit. */
export async function toImagesMessage(
  request: ProviderRequest,
  parameters: Parameters,
  headers: Message['headers'],
  imageField = 'image',
): Promise<Message> {
  const all = { ...request.extra, ...parameters }
  if (request.operation === 'GENERATE') return toJsonMessage('/images/generations', all, headers)
  const body = await toForm(request, all, imageField)
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
  stream: boolean,
): Promise<Message> {
  const accept = stream ? 'text/event-stream, application/json' : 'application/json'
  const imageField = request.images.length > 1 ? 'image[]' : 'image'
  return toImagesMessage(request, parameters, { accept }, imageField)
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
    ...toLaterParameters(request),
  }
}

/** Of the reference in November 2026. */
export function toLaterParameters({
  complexity,
  animation,
  svg,
  safetyIdentifier,
}: ProviderRequest): Parameters {
  const effort = svg?.effort?.toLowerCase()
  return {
    ...(complexity !== null && { complexity: complexity.toLowerCase() }),
    ...(animation?.frames != null && { frame_count: animation.frames }),
    ...(animation?.frameDurationMs != null && { frame_duration_ms: animation.frameDurationMs }),
    ...(svg && { svg: { model: svg.model, ...(effort !== undefined && { reasoning: { effort } }) } }),
    ...(safetyIdentifier !== null && { safety_identifier: safetyIdentifier }),
  }
}

/** With pmock's names: `frameCount`. */
export function toNamedParameters(request: ProviderRequest): Parameters {
  const named = Object.entries(toLaterParameters(request)).map(([name, value]) => [
    name.replaceAll(/_[a-z]/g, ([, letter = '']) => letter.toUpperCase()),
    value,
  ])
  return Object.fromEntries(named)
}

export function isDalle({ upstreamModel }: ProviderRequest): boolean {
  return upstreamModel.startsWith('dall-e')
}

async function toForm(
  { images, mask, markup }: ProviderRequest,
  parameters: Parameters,
  imageField: string,
): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) appendTo(form, name, value)
  for (const [index, image] of images.entries())
    form.append(imageField, await toFile(image, `image-${index + 1}`))
  if (mask) form.append('mask', await toFile(mask, 'mask'))
  if (markup) form.append('markup', await toFile(markup, 'markup'))
  return form
}

/** Nested values as OpenAI's clients write them: `svg[model]`, `list[]`. */
function appendTo(form: FormData, name: string, value: unknown): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) for (const item of value) appendTo(form, `${name}[]`, item)
  else if (typeof value === 'object')
    for (const [key, item] of Object.entries(value)) appendTo(form, `${name}[${key}]`, item)
  else form.append(name, typeof value === 'string' ? value : JSON.stringify(value))
}

// OpenAI refuses application/octet-stream ("unsupported mimetype").
async function toFile(image: ProviderRequestImage, name: string): Promise<File> {
  const extension = image.mimeType.slice('image/'.length)
  return new File([await image.blob()], `${name}.${extension}`, { type: image.mimeType })
}
