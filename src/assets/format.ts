// Which kind of image some bytes are, from the bytes alone: neither a file name nor a Content-Type can be believed.
import { open } from 'node:fs/promises'
import type { ImageFacts, OutputFormat } from '../domain.ts'
import { ImageRejected } from './rejected.ts'

export type ImageMimeType = ImageFacts['mimeType']

// Enough for every signature below, and for an SVG's or a page's first words.
const SNIFF_BYTES = 512

/** The media type of each format. */
export const MIME_TYPES: Record<OutputFormat, ImageMimeType> = {
  PNG: 'image/png',
  JPEG: 'image/jpeg',
  WEBP: 'image/webp',
}

/** How people write each format. */
export const FORMAT_NAMES: Record<OutputFormat, string> = { PNG: 'PNG', JPEG: 'JPEG', WEBP: 'WebP' }

// https://www.w3.org/TR/png-3/#5PNG-file-signature, ITU-T T.81 B.1.1.3 (SOI and the next marker's first byte),
// https://www.rfc-editor.org/rfc/rfc9649#section-2.4 (a length stands between).
const SIGNATURES: [OutputFormat, (text: string) => boolean][] = [
  ['PNG', (text) => text.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (text) => text.startsWith('\xff\xd8\xff')],
  ['WEBP', (text) => text.startsWith('RIFF') && text.startsWith('WEBP', 8)],
]

// Only so that a refusal can say what it saw.
const OTHERS: [string, RegExp][] = [
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

/** The format whose signature `head` starts with. Throws ImageRejected TYPE, naming what it looks like instead. */
export function sniffFormat(head: Buffer): OutputFormat {
  const text = head.toString('latin1', 0, SNIFF_BYTES)
  const known = SIGNATURES.find(([, hasSignature]) => hasSignature(text))
  if (known) return known[0]
  const other = OTHERS.find(([, signature]) => signature.test(text))
  const found = other ? `looks like ${other[0]}` : 'has the signature of none of them'
  throw new ImageRejected('TYPE', `Images must be PNG, JPEG or WebP; this file ${found}.`)
}

/** The first bytes of an image, as many as `sniffFormat` looks at, and the size of all. */
export async function readHead(input: string | Buffer): Promise<{ head: Buffer; byteSize: number }> {
  if (typeof input !== 'string') return { head: input.subarray(0, SNIFF_BYTES), byteSize: input.length }
  await using handle = await open(input, 'r')
  const { size: byteSize } = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
  return { head: buffer.subarray(0, bytesRead), byteSize }
}
