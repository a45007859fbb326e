import { open } from 'node:fs/promises'
import type { ImageFacts, OutputFormat } from '../domain.ts'

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

export const MIME_TYPES: Record<OutputFormat, ImageMimeType> = {
  PNG: 'image/png',
  JPEG: 'image/jpeg',
  WEBP: 'image/webp',
}

export const FORMAT_NAMES: Record<OutputFormat, string> = { PNG: 'PNG', JPEG: 'JPEG', WEBP: 'WebP' }

// PNG 5.2; ITU-T T.81 B.1.1.3 (SOI, next marker's first byte); RFC 9649, 2.4 (a length in between).
const SIGNATURES: [OutputFormat, (text: string) => boolean][] = [
  ['PNG', (text) => text.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (text) => text.startsWith('\xff\xd8\xff')],
  ['WEBP', (text) => text.startsWith('RIFF') && text.startsWith('WEBP', 8)],
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

/** Throws ImageRejected TYPE for others. */
export function sniffFormat(head: Buffer): OutputFormat {
  const text = head.toString('latin1', 0, SNIFF_BYTES)
  const known = SIGNATURES.find(([, hasSignature]) => hasSignature(text))
  if (known) return known[0]
  const other = OTHER_FORMATS.find(([, signature]) => signature.test(text))
  const found = other ? `looks like ${other[0]}` : 'has the signature of none of them'
  throw new ImageRejected('TYPE', `Images must be PNG, JPEG or WebP; this file ${found}.`)
}

export async function readHead(input: string | Buffer): Promise<{ head: Buffer; byteSize: number }> {
  if (typeof input !== 'string') return { head: input.subarray(0, SNIFF_BYTES), byteSize: input.length }
  await using handle = await open(input, 'r')
  const { size: byteSize } = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
  return { head: buffer.subarray(0, bytesRead), byteSize }
}
