import { FormData } from 'undici'
import { QUALITIES, type Settings } from '../../domain.ts'
import { ProviderError } from '../error.ts'
import type { Message } from '../wire/http.ts'
import type { Order, OrderImage, ResolvedSettings } from '../provider.ts'
import type { JimmyOptions } from './options.ts'
import { SHAPES, type Shape } from './sizes.ts'

/** An order as the message that places it, and what that message settled where the order said auto. */
export interface Placed {
  message: Message
  resolved: ResolvedSettings
}

/** Throws ProviderError `rejected` for an input image that is larger than the upstream takes. Nothing is sent then. */
export async function toPlaced(order: Order, options: JimmyOptions): Promise<Placed> {
  const shape = shapeOf(order, options)
  return shape ? toTask(order, shape, options) : toSync(order, options)
}

/** The shape to create a task with; undefined when the order is to be placed the synchronous way. */
function shapeOf(order: Order, { mode, taskFields }: JimmyOptions): Shape | undefined {
  if (mode === 'sync') return undefined
  const shape = SHAPES[order.size]
  // Capabilities let nothing else through.
  if (mode === 'async') return shape
  const open =
    order.n === 1 &&
    order.mask === null &&
    order.background === 'AUTO' &&
    order.outputFormat === 'PNG' &&
    (order.quality === 'AUTO' || taskFields === 'ratio')
  const byteSize = order.images.reduce((sum, image) => sum + image.byteSize, 0)
  return open && byteSize <= INLINE_BYTES ? shape : undefined
}

// A task's input images are base64 within JSON: a third larger, and held in memory whole. A form is read from disk.
const INLINE_BYTES = 12_000_000
// "Image Edit (Sync)": 20 MB for each file.
const FILE_BYTES = 20_000_000

async function toTask(order: Order, { ratio, resolution }: Shape, options: JimmyOptions): Promise<Placed> {
  const newer = options.taskFields === 'ratio'
  const images = await Promise.all(order.images.map(toDataUrl))
  const body = {
    model: order.upstreamModel,
    prompt: order.prompt,
    [options.taskFields]: ratio,
    resolution,
    ...(newer && { quality: qualityOf(order, options) }),
    ...(images.length > 0 && { images }),
  }
  return {
    message: { ...json(options), path: '/images', body: JSON.stringify(body) },
    resolved: taskResolved(order, options),
  }
}

/** What a task of this order was told where the order said auto. The page's own fields know no quality. */
export function taskResolved(settings: Settings, options: JimmyOptions): ResolvedSettings {
  return options.taskFields === 'ratio' ? resolvedBy(undefined, qualityOf(settings, options)) : {}
}

async function toSync(order: Order, options: JimmyOptions): Promise<Placed> {
  const quality = qualityOf(order, options)
  // The page's default, said aloud: what was left to the upstream is known before it answers.
  const size = order.size === 'auto' ? '1024x1024' : order.size
  const parameters = {
    model: order.upstreamModel,
    prompt: order.prompt,
    size,
    n: order.n,
    quality,
    ...(order.background !== 'AUTO' && { background: order.background.toLowerCase() }),
    ...(order.outputFormat !== 'PNG' && { output_format: order.outputFormat.toLowerCase() }),
  }
  const resolved = resolvedBy(size, quality)
  if (order.operation === 'GENERATE') {
    const body = JSON.stringify(parameters)
    return { message: { ...json(options), path: '/images/generations', body }, resolved }
  }
  const body = await toForm(parameters, order)
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

function qualityOf({ quality }: Settings, { autoQuality }: JimmyOptions): string {
  return quality === 'AUTO' ? autoQuality : quality.toLowerCase()
}

function resolvedBy(size: string | undefined, sent: string): ResolvedSettings {
  const quality = QUALITIES.find((word) => word !== 'AUTO' && word === sent.toUpperCase())
  return { ...(size !== undefined && { size }), ...(quality && { quality }) }
}

async function toDataUrl(image: OrderImage): Promise<string> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  return `data:${image.mimeType};base64,${bytes.toString('base64')}`
}

async function toForm(
  parameters: Record<string, string | number>,
  { images, mask }: Order,
): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
  // One field name for all of them, without brackets.
  for (const [index, image] of images.entries()) await appendImage(form, 'image', `image-${index + 1}`, image)
  if (mask) await appendImage(form, 'mask', 'mask', mask)
  return form
}

async function appendImage(form: FormData, field: string, name: string, image: OrderImage): Promise<void> {
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
