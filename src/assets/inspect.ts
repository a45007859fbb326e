import { OUTPUT_FORMATS, type ImageFacts, type OutputFormat, type ResultFacts } from '../domain.ts'
import { openImage, MAX_PIXELS } from './decode.ts'
import {
  corrupt,
  FORMAT_NAMES,
  ImageRejected,
  INPUT_FORMATS,
  MIME_TYPES,
  readHead,
  sniffFormat,
  type RasterFormat,
} from './format.ts'
import { svgSize } from './svg/size.ts'

export const MAX_INPUT_BYTES = 20 * 1024 * 1024

/** Reads the header only: decompression bombs are harmless. Applies EXIF orientation. Throws ImageRejected. */
export async function inspectImage(
  input: string | Buffer,
  { maxBytes = MAX_INPUT_BYTES }: { maxBytes?: number } = {},
): Promise<ImageFacts> {
  const {
    frames,
    durationMs: _duration,
    plays: _plays,
    ...facts
  } = await inspect(input, maxBytes, INPUT_FORMATS)
  if (frames > 1)
    throw new ImageRejected('TYPE', `The image is an animation of ${frames} frames; send a still image.`)
  return facts
}

/** As `inspectImage`, of any size, also for GIF, SVG and animations. */
export function inspectResult(input: string | Buffer): Promise<ResultFacts> {
  return inspect(input, Infinity, OUTPUT_FORMATS)
}

async function inspect(
  input: string | Buffer,
  maxBytes: number,
  allowed: readonly OutputFormat[],
): Promise<ResultFacts> {
  const { head, byteSize } = await readHead(input)
  if (byteSize === 0)
    throw new ImageRejected('EMPTY', 'The image is empty: 0 bytes. Send a PNG, JPEG or WebP file.')
  if (byteSize > maxBytes)
    throw new ImageRejected('TOO_LARGE', `The image has ${byteSize} bytes; the maximum is ${maxBytes}.`)
  const format = sniffFormat(head, allowed)
  const mimeType = MIME_TYPES[format]
  // Not parsed: a hostile one is kept as it came.
  if (format === 'SVG') return { ...STILL, ...svgSize(head), mimeType, byteSize, hasAlpha: true }
  const facts = await readHeader(input, format)
  const { width, height } = facts
  if (width * height > MAX_PIXELS)
    throw new ImageRejected(
      'TOO_MANY_PIXELS',
      `The image has ${width}x${height} pixels; the maximum is ${MAX_PIXELS} in total.`,
    )
  return { ...facts, mimeType, byteSize }
}

const STILL = { frames: 1, durationMs: null, plays: null }

async function readHeader(
  input: string | Buffer,
  format: RasterFormat,
): Promise<Omit<ResultFacts, 'mimeType' | 'byteSize'>> {
  // Without libvips' limit: the error message has the size.
  const metadata = await openImage(input, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw corrupt(FORMAT_NAMES[format], cause)
    })
  if (metadata.mediaType !== MIME_TYPES[format]) throw corrupt(FORMAT_NAMES[format])
  const { pages: frames = 1, delay = [], loop = 0, autoOrient, hasAlpha } = metadata
  if (frames === 1) return { ...autoOrient, hasAlpha, ...STILL }
  const durationMs = delay.reduce((sum, one) => sum + one, 0)
  return { ...autoOrient, hasAlpha, frames, durationMs: Math.min(durationMs, 2 ** 31 - 1), plays: loop }
}
