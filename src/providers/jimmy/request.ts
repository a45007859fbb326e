import { FormData } from 'undici'
import { QUALITIES, type Settings } from '../../domain.ts'
import { ProviderError } from '../error.ts'
import type { Message } from '../wire/http.ts'
import type { ProviderRequest, ProviderRequestImage, ResolvedSettings } from '../provider.ts'
import type { JimmyOptions } from './options.ts'
import { SHAPES, type Shape } from './sizes.ts'

/** An order as the message that places it, and what that message settled where the order said auto. */
export interface Placed {
  message: Message
  resolved: ResolvedSettings
}

/** Throws ProviderError `rejected` for an input image that is larger than the upstream takes. Nothing is sent then. */
export async function toPlaced(request: ProviderRequest, options: JimmyOptions): Promise<Placed> {
  const shape = shapeOf(request, options)
  return shape ? toTask(request, shape, options) : toSync(request, options)
}

/** The shape to create a task with; undefined when the order is to be placed the synchronous way. */
function shapeOf(request: ProviderRequest, { mode, taskFields }: JimmyOptions): Shape | undefined {
  if (mode === 'sync') return undefined
  const shape = SHAPES[request.size]
  // Capabilities let nothing else through.
  if (mode === 'async') return shape
  const open =
    request.n === 1 &&
    request.mask === null &&
    request.background === 'AUTO' &&
    request.outputFormat === 'PNG' &&
    (request.quality === 'AUTO' || taskFields === 'ratio')
  const byteSize = request.images.reduce((sum, image) => sum + image.byteSize, 0)
  return open && byteSize <= INLINE_BYTES ? shape : undefined
}

// A task's input images are base64 within JSON: a third larger, and held in memory whole. A form is read from disk.
const INLINE_BYTES = 12_000_000
// "Image Edit (Sync)": 20 MB for each file.
const FILE_BYTES = 20_000_000

async function toTask(
  request: ProviderRequest,
  { ratio, resolution }: Shape,
  options: JimmyOptions,
): Promise<Placed> {
  const newer = options.taskFields === 'ratio'
  const images = await Promise.all(request.images.map(toDataUrl))
  const body = {
    model: request.upstreamModel,
    prompt: request.prompt,
    [options.taskFields]: ratio,
    resolution,
    ...(newer && { quality: qualityOf(request, options) }),
    ...(images.length > 0 && { images }),
  }
  return {
    message: { ...json(options), path: '/images', body: JSON.stringify(body) },
    resolved: taskResolved(request, options),
  }
}

/** What a task of this order was told where the order said auto. The page's own fields know no quality. */
export function taskResolved(request: Pick<Settings, 'quality'>, options: JimmyOptions): ResolvedSettings {
  return options.taskFields === 'ratio' ? resolvedBy(undefined, qualityOf(request, options)) : {}
}

async function toSync(request: ProviderRequest, options: JimmyOptions): Promise<Placed> {
  const quality = qualityOf(request, options)
  // The page's default, said aloud: what was left to the upstream is known before it answers.
  const size = request.size === 'auto' ? '1024x1024' : request.size
  const parameters = {
    model: request.upstreamModel,
    prompt: request.prompt,
    size,
    n: request.n,
    quality,
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
  }
  const resolved = resolvedBy(size, quality)
  if (request.operation === 'GENERATE') {
    const body = JSON.stringify(parameters)
    return { message: { ...json(options), path: '/images/generations', body }, resolved }
  }
  const body = await toForm(parameters, request)
  return {
    message: { method: 'POST', path: '/images/edits', headers: authorization(options), body },
    resolved,
  }
}

/** The headers that every request has. */
export function authorization({ apiKey }: JimmyOptions): Record<string, string> {
  return { authorization: `Bearer ${apiKey}` }
}

function json(options: JimmyOptions): Pick<Message, 'method' | 'headers'> {
  return { method: 'POST', headers: { ...authorization(options), 'content-type': 'application/json' } }
}

function qualityOf({ quality }: Pick<Settings, 'quality'>, { autoQuality }: JimmyOptions): string {
  return quality === 'AUTO' ? autoQuality : quality.toLowerCase()
}

function resolvedBy(size: string | undefined, sent: string): ResolvedSettings {
  const quality = QUALITIES.find((word) => word !== 'AUTO' && word === sent.toUpperCase())
  return { ...(size !== undefined && { size }), ...(quality && { quality }) }
}

async function toDataUrl(image: ProviderRequestImage): Promise<string> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  return `data:${image.mimeType};base64,${bytes.toString('base64')}`
}

async function toForm(
  parameters: Record<string, string | number>,
  { images, mask }: ProviderRequest,
): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  // One field name for all of them, without brackets.
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
  if (image.byteSize > FILE_BYTES) {
    throw new ProviderError({
      kind: 'rejected',
      code: 'INPUT_IMAGE_INVALID',
      message: `The ${name} has ${image.byteSize} bytes; at most ${FILE_BYTES} are taken.`,
      charged: 'NO',
    })
  }
  const extension = image.mimeType.slice('image/'.length)
  form.append(field, new File([await image.blob()], `${name}.${extension}`, { type: image.mimeType }))
}
