import { QUALITIES, type Settings } from '../../domain.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import { toDataUrl, toImagesMessage, toJsonMessage, toLaterParameters } from '../images-api/message.ts'
import type { ProviderRequest, ResolvedSettings } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import { SHAPES, type JimmyOptions, type Shape } from './options.ts'

export interface Submit {
  message: Message
  /** What the message decides for `auto`. */
  resolved: ResolvedSettings
}

/** A task's images are base64 in memory; a form is read from disk. */
const MAX_INLINE_BYTES = 12_000_000
/** Per file: "Image Edit (Sync)". */
const MAX_FILE_BYTES = 20_000_000

/** Throws ProviderError `rejected` for a larger input image. */
export async function toSubmit(
  request: ProviderRequest,
  options: JimmyOptions,
  provider: string,
): Promise<Submit> {
  const shape = shapeOf(request, options)
  if (shape) return toTask(request, shape, options)
  checkFileSizes(request, provider)
  return toSync(request, options)
}

function shapeOf(request: ProviderRequest, { mode, taskFields }: JimmyOptions): Shape | undefined {
  if (mode === 'sync') return undefined
  const shape = SHAPES[request.size]
  // This mode's capabilities guarantee one.
  if (mode === 'async') return shape
  const isTask =
    request.n === 1 &&
    request.mask === null &&
    request.markup === null &&
    request.complexity === null &&
    request.background === 'AUTO' &&
    request.outputFormat === 'PNG' &&
    (request.quality === 'AUTO' || taskFields === 'ratio')
  const byteSize = request.images.reduce((sum, image) => sum + image.byteSize, 0)
  return isTask && byteSize <= MAX_INLINE_BYTES ? shape : undefined
}

async function toTask(
  request: ProviderRequest,
  { ratio, resolution }: Shape,
  options: JimmyOptions,
): Promise<Submit> {
  const images = await Promise.all(request.images.map(toDataUrl))
  const body = {
    ...request.extra,
    model: request.upstreamModel,
    prompt: request.prompt,
    [options.taskFields]: ratio,
    resolution,
    ...(options.taskFields === 'ratio' && { quality: qualityOf(request, options) }),
    ...(images.length > 0 && { images }),
  }
  return {
    message: toJsonMessage('/images', body, authorization(options)),
    resolved: taskResolved(request, options),
  }
}

/** The page's fields have no quality. */
export function taskResolved(settings: Pick<Settings, 'quality'>, options: JimmyOptions): ResolvedSettings {
  return options.taskFields === 'ratio' ? qualityResolved(qualityOf(settings, options)) : {}
}

async function toSync(request: ProviderRequest, options: JimmyOptions): Promise<Submit> {
  const quality = qualityOf(request, options)
  // The page's default; replies do not report it.
  const size = request.size === 'auto' ? '1024x1024' : request.size
  const parameters = {
    model: request.upstreamModel,
    prompt: request.prompt,
    size,
    n: request.n,
    quality,
    ...(request.background !== 'AUTO' && { background: request.background.toLowerCase() }),
    ...(request.outputFormat !== 'PNG' && { output_format: request.outputFormat.toLowerCase() }),
    ...toLaterParameters(request),
  }
  return {
    message: await toImagesMessage(request, parameters, authorization(options)),
    resolved: { size, ...qualityResolved(quality) },
  }
}

export function authorization({ apiKey }: JimmyOptions): Record<string, string> {
  return { authorization: `Bearer ${apiKey}` }
}

function qualityOf({ quality }: Pick<Settings, 'quality'>, { autoQuality }: JimmyOptions): string {
  return quality === 'AUTO' ? autoQuality : quality.toLowerCase()
}

function qualityResolved(sent: string): ResolvedSettings {
  const quality = QUALITIES.find((value) => value !== 'AUTO' && value === sent.toUpperCase())
  return quality ? { quality } : {}
}

function checkFileSizes({ images, mask, markup }: ProviderRequest, provider: string): void {
  const files = images.map((image, index) => ({ name: `Input image ${index + 1}`, image }))
  if (mask) files.push({ name: 'The mask', image: mask })
  if (markup) files.push({ name: 'The markup', image: markup })
  const large = files.find(({ image }) => image.byteSize > MAX_FILE_BYTES)
  if (!large) return
  const message = `${large.name} has ${large.image.byteSize} bytes; the maximum of ${provider} is ${MAX_FILE_BYTES}. Use a smaller file.`
  throw new ProviderError({ ...VERDICTS.IMAGE_INVALID, message })
}
