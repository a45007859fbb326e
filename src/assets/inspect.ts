import type { ImageFacts, OutputFormat } from '../domain.ts'
import { openImage, MAX_PIXELS } from './decode.ts'
import { corrupt, FORMAT_NAMES, ImageRejected, MIME_TYPES, readHead, sniffFormat } from './format.ts'

export const MAX_INPUT_BYTES = 20 * 1024 * 1024

/** Reads the header only: decompression bombs are harmless. Applies EXIF orientation. Throws ImageRejected. */
export async function inspectImage(
  input: string | Buffer,
  { maxBytes = MAX_INPUT_BYTES }: { maxBytes?: number } = {},
): Promise<ImageFacts> {
  const { head, byteSize } = await readHead(input)
  if (byteSize === 0)
    throw new ImageRejected('EMPTY', 'The image is empty: 0 bytes. Send a PNG, JPEG or WebP file.')
  if (byteSize > maxBytes)
    throw new ImageRejected('TOO_LARGE', `The image has ${byteSize} bytes; the maximum is ${maxBytes}.`)
  const format = sniffFormat(head)
  const { width, height, hasAlpha } = await readHeader(input, format)
  if (width * height > MAX_PIXELS)
    throw new ImageRejected(
      'TOO_MANY_PIXELS',
      `The image has ${width}x${height} pixels; the maximum is ${MAX_PIXELS} in total.`,
    )
  return { mimeType: MIME_TYPES[format], width, height, byteSize, hasAlpha }
}

async function readHeader(
  input: string | Buffer,
  format: OutputFormat,
): Promise<{ width: number; height: number; hasAlpha: boolean }> {
  // Without libvips' limit: the error message has the size.
  const metadata = await openImage(input, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw corrupt(FORMAT_NAMES[format], cause)
    })
  if (metadata.mediaType !== MIME_TYPES[format]) throw corrupt(FORMAT_NAMES[format])
  const { pages = 1, autoOrient, hasAlpha } = metadata
  if (pages > 1)
    throw new ImageRejected('TYPE', `The image is an animation of ${pages} frames; send a still image.`)
  return { ...autoOrient, hasAlpha }
}
