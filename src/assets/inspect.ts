import type { ImageFacts, OutputFormat } from '../domain.ts'
import { openImage, MAX_PIXELS } from './decode.ts'
import { FORMAT_NAMES, MIME_TYPES, readHead, sniffFormat } from './format.ts'
import { corrupt, ImageRejected } from './rejected.ts'

/** The largest input image in bytes, 20 MiB. */
export const MAX_INPUT_BYTES = 20 * 1024 * 1024

export interface InspectOptions {
  /** In bytes; MAX_INPUT_BYTES by default. */
  maxBytes?: number
}

/**
 * What an image is, from its header alone: nothing is decompressed, so a bomb costs no more than any other file. Width
 * and height are those a viewer sees, with any EXIF orientation applied. Throws ImageRejected. A header can be right
 * where the rest is not: `decodeCheck` or `thumbhash` tell.
 */
export async function inspectImage(
  input: string | Buffer,
  options: InspectOptions = {},
): Promise<ImageFacts> {
  const { head, byteSize } = await readHead(input)
  refuseSize(byteSize, options.maxBytes ?? MAX_INPUT_BYTES)
  const format = sniffFormat(head)
  const { width, height, hasAlpha } = await readHeader(input, format)
  if (width * height > MAX_PIXELS) {
    const found = `The image has ${width}x${height} pixels`
    throw new ImageRejected('TOO_MANY_PIXELS', `${found}; at most ${MAX_PIXELS} in all are taken.`)
  }
  return { mimeType: MIME_TYPES[format], width, height, byteSize, hasAlpha }
}

function refuseSize(byteSize: number, maxBytes: number): void {
  if (byteSize === 0)
    throw new ImageRejected('EMPTY', 'The image is empty: 0 bytes. Send a PNG, JPEG or WebP file.')
  if (byteSize <= maxBytes) return
  throw new ImageRejected('TOO_LARGE', `The image has ${byteSize} bytes; at most ${maxBytes} are taken.`)
}

async function readHeader(
  input: string | Buffer,
  format: OutputFormat,
): Promise<{ width: number; height: number; hasAlpha: boolean }> {
  // The pixel limit is ours to check, for a message that names the size: reading a header decodes nothing.
  const metadata = await openImage(input, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw corrupt(FORMAT_NAMES[format], cause)
    })
  // The signature chose the decoder, so this holds unless libvips disagrees with the three specifications.
  if (metadata.mediaType !== MIME_TYPES[format]) throw corrupt(FORMAT_NAMES[format])
  if ((metadata.pages ?? 1) > 1) {
    throw new ImageRejected(
      'TYPE',
      `The image is an animation of ${metadata.pages} frames; send a still one.`,
    )
  }
  return { ...metadata.autoOrient, hasAlpha: metadata.hasAlpha }
}
