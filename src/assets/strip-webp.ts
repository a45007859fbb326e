// WebP as RIFF chunks: https://www.rfc-editor.org/rfc/rfc9649#section-2
import { corrupt } from './rejected.ts'

const HEADER_BYTES = 12
const IMAGE_CHUNKS = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ICCP'])
// In the first byte of VP8X, which announces optional chunks.
const EXIF_AND_XMP_FLAGS = 0b0000_1100

/**
 * Removes EXIF, XMP, unknown chunks and trailing data. Keeps pixel data and color profile unchanged. Throws ImageRejected
 * CORRUPT for malformed chunks.
 */
export function stripWebp(bytes: Buffer): Buffer {
  const size = bytes.readUInt32LE(4) + 8
  if (size > bytes.length) throw corrupt('WebP')
  const kept = []
  let at = HEADER_BYTES
  while (at + 8 <= size) {
    const length = bytes.readUInt32LE(at + 4)
    // Chunks are padded to an even length; some encoders omit the last padding.
    const end = Math.min(at + 8 + length + (length % 2), size)
    if (at + 8 + length > size) throw corrupt('WebP')
    const type = bytes.toString('latin1', at, at + 4)
    if (IMAGE_CHUNKS.has(type))
      kept.push(type === 'VP8X' ? withoutFlags(bytes.subarray(at, end)) : bytes.subarray(at, end))
    at = end
  }
  return withHeader(Buffer.concat(kept))
}

function withoutFlags(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk)
  copy[8] = (copy[8] ?? 0) & ~EXIF_AND_XMP_FLAGS
  return copy
}

function withHeader(chunks: Buffer): Buffer {
  const header = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')
  header.writeUInt32LE(chunks.length + 4, 4)
  return Buffer.concat([header, chunks])
}
