// Also removes thumbnails, animation and trailing data. Throws ImageRejected CORRUPT.
import { corrupt } from './format.ts'

// ITU-T T.81, annex B.
const EOI = 0xd9
const SOS = 0xda
const APP0 = 0xe0
const APP2 = 0xe2
const APP14 = 0xee
const APP15 = 0xef
const COM = 0xfe

export function stripJpeg(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 2)]
  let at = 2
  for (;;) {
    const start = findMarker(bytes, at)
    const marker = bytes[start + 1]!
    // Phones append an image with its own EXIF.
    if (marker === EOI) return Buffer.concat([...kept, bytes.subarray(start, start + 2)])
    const end = start + 2 + segmentLength(bytes, start + 2)
    const segment = bytes.subarray(start, end)
    // Compressed data follows a start of scan.
    at = marker === SOS ? findMarker(bytes, end) : end
    if (marker === SOS) kept.push(bytes.subarray(start, at))
    else if (isImageSegment(marker, segment.toString('latin1', 4, 16))) kept.push(segment)
  }
}

/** Keeps density, color profile and Adobe's color transform. */
function isImageSegment(marker: number, content: string): boolean {
  if (marker === COM) return false
  if (marker < APP0 || marker > APP15) return true
  if (marker === APP0) return content.startsWith('JFIF\0')
  if (marker === APP2) return content.startsWith('ICC_PROFILE\0')
  return marker === APP14 && content.startsWith('Adobe')
}

/** Skips fill bytes, byte stuffing and restart markers. */
function findMarker(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(0xff, from)
  while (at >= 0 && at + 1 < bytes.length) {
    const code = bytes[at + 1]!
    const isRestart = code >= 0xd0 && code <= 0xd7
    if (code !== 0xff && code !== 0 && !isRestart) return at
    at = bytes.indexOf(0xff, code === 0xff ? at + 1 : at + 2)
  }
  throw corrupt('JPEG')
}

function segmentLength(bytes: Buffer, at: number): number {
  const length = at + 2 > bytes.length ? 0 : bytes.readUInt16BE(at)
  if (length < 2 || at + length > bytes.length) throw corrupt('JPEG')
  return length
}

// PNG 5.3, chunk layout.
const PNG_SIGNATURE_BYTES = 8
const PNG_CHUNK_OVERHEAD_BYTES = 12
const PNG_CHUNKS = new Set(
  'IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs'.split(' '),
)

export function stripPng(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, PNG_SIGNATURE_BYTES)]
  let at = PNG_SIGNATURE_BYTES
  while (at + PNG_CHUNK_OVERHEAD_BYTES <= bytes.length) {
    const end = at + PNG_CHUNK_OVERHEAD_BYTES + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (PNG_CHUNKS.has(type)) kept.push(bytes.subarray(at, end))
    if (type === 'IEND') return Buffer.concat(kept)
    at = end
  }
  throw corrupt('PNG')
}

// RFC 9649, 2.
const RIFF_HEADER_BYTES = 12
const WEBP_CHUNKS = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ICCP'])
const EXIF_AND_XMP_FLAGS = 0b0000_1100

export function stripWebp(bytes: Buffer): Buffer {
  const size = bytes.readUInt32LE(4) + 8
  if (size > bytes.length) throw corrupt('WebP')
  const kept: Buffer[] = [Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')]
  let at = RIFF_HEADER_BYTES
  while (at + 8 <= size) {
    const length = bytes.readUInt32LE(at + 4)
    if (at + 8 + length > size) throw corrupt('WebP')
    // Padded to an even length; some encoders omit the last padding.
    const end = Math.min(at + 8 + length + (length % 2), size)
    const type = bytes.toString('latin1', at, at + 4)
    const chunk = bytes.subarray(at, end)
    if (WEBP_CHUNKS.has(type)) kept.push(type === 'VP8X' ? withoutMetadataFlags(chunk) : chunk)
    at = end
  }
  const stripped = Buffer.concat(kept)
  stripped.writeUInt32LE(stripped.length - 8, 4)
  return stripped
}

function withoutMetadataFlags(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk)
  copy[8] = (copy[8] ?? 0) & ~EXIF_AND_XMP_FLAGS
  return copy
}
