import { open } from 'node:fs/promises'
import { rootOf } from './svg/size.ts'
import { OUTPUT_FORMATS, type ImageFacts, type OutputFormat } from '../domain.ts'

type RejectionReason = 'EMPTY' | 'TYPE' | 'TOO_LARGE' | 'TOO_MANY_PIXELS' | 'CORRUPT'

export class ImageRejected extends Error {
  override name = 'ImageRejected'
  readonly reason: RejectionReason

  constructor(reason: RejectionReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

export function corrupt(format: string, cause?: unknown): ImageRejected {
  const message = `The image has the signature of a ${format} but is damaged or cut short. Send the complete file.`
  return new ImageRejected('CORRUPT', message, cause)
}

export type ImageMimeType = ImageFacts['mimeType']

const SNIFF_BYTES = 512
/** The root of an SVG may follow comments and a document type. */
const HEAD_BYTES = 64 * 1024

export const MIME_TYPES: Record<OutputFormat, ImageMimeType> = {
  PNG: 'image/png',
  JPEG: 'image/jpeg',
  WEBP: 'image/webp',
  GIF: 'image/gif',
  SVG: 'image/svg+xml',
}

/** Of a stored image. */
export function formatOf(mimeType: string): OutputFormat {
  return OUTPUT_FORMATS.find((format) => MIME_TYPES[format] === mimeType)!
}

export type RasterFormat = Exclude<OutputFormat, 'SVG'>

/** Of input images. */
export const INPUT_FORMATS: readonly OutputFormat[] = ['PNG', 'JPEG', 'WEBP']

export const FORMAT_NAMES: Record<OutputFormat, string> = {
  PNG: 'PNG',
  JPEG: 'JPEG',
  WEBP: 'WebP',
  GIF: 'GIF',
  SVG: 'SVG',
}

// PNG 5.2; ITU-T T.81 B.1.1.3 (SOI, next marker's first byte); RFC 9649, 2.4 (a length in between).
const SIGNATURES: [OutputFormat, (text: string) => boolean][] = [
  ['PNG', (text) => text.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (text) => text.startsWith('\xff\xd8\xff')],
  ['WEBP', (text) => text.startsWith('RIFF') && text.startsWith('WEBP', 8)],
  // GIF89a, 17.
  ['GIF', (text) => text.startsWith('GIF87a') || text.startsWith('GIF89a')],
]

const OTHER_FORMATS: [string, RegExp][] = [
  ['a GIF', /^GIF8/],
  ['a TIFF', /^(?:II\*\0|MM\0\*)/],
  ['a BMP', /^BM/],
  ['a HEIC', /^[^]{4}ftyp(?:hei|hev|mif1|msf1)/],
  ['an AVIF', /^[^]{4}ftypavi/],
  ['a PDF', /^%PDF-/],
  ['an SVG', /^\W*(?:<\?xml[^]*?)?(?:<!--[^]*?-->\s*)?<svg\b/i],
  ['an HTML page', /^\W*<(?:!doctype html|html|head|body|script)\b/i],
  ['JSON', /^\s*[[{]\s*["\]}]/],
]

/** Throws ImageRejected TYPE for others than `allowed`. */
export function sniffFormat(head: Buffer, allowed: readonly OutputFormat[] = OUTPUT_FORMATS): OutputFormat {
  const text = head.toString('latin1', 0, SNIFF_BYTES)
  const known =
    SIGNATURES.find(([, hasSignature]) => hasSignature(text))?.[0] ?? (isSvg(head) ? 'SVG' : undefined)
  if (known && allowed.includes(known)) return known
  const other = OTHER_FORMATS.find(([, signature]) => signature.test(text))
  const found = other ? `looks like ${other[0]}` : 'has the signature of none of them'
  throw new ImageRejected('TYPE', `Images must be PNG, JPEG or WebP; this file ${found}.`)
}

/** XML whose root is `svg`. */
function isSvg(head: Buffer): boolean {
  return rootOf(head.toString('latin1', 0, HEAD_BYTES)) >= 0
}

export async function readHead(input: string | Buffer): Promise<{ head: Buffer; byteSize: number }> {
  if (typeof input !== 'string') return { head: input.subarray(0, HEAD_BYTES), byteSize: input.length }
  await using handle = await open(input, 'r')
  const { size: byteSize } = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  return { head: buffer.subarray(0, bytesRead), byteSize }
}
