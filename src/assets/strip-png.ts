// PNG chunks: https://www.w3.org/TR/png-3/#5Chunk-layout
import { corrupt } from './rejected.ts'

const SIGNATURE_BYTES = 8
// Length, type and CRC of a chunk.
const CHUNK_OVERHEAD_BYTES = 12

// Chunks that affect pixels and colors. All others are text, time, EXIF, animation or private.
const IMAGE_CHUNKS = new Set([
  'IHDR',
  'PLTE',
  'IDAT',
  'IEND',
  'tRNS',
  'cHRM',
  'gAMA',
  'iCCP',
  'sBIT',
  'sRGB',
  'cICP',
  'mDCV',
  'cLLI',
  'bKGD',
  'hIST',
  'pHYs',
])

/**
 * Removes EXIF, text, times, animation frames and trailing data. Keeps pixel data and color information unchanged. Throws
 * ImageRejected CORRUPT for malformed chunks.
 */
export function stripPng(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, SIGNATURE_BYTES)]
  let at = SIGNATURE_BYTES
  while (at + CHUNK_OVERHEAD_BYTES <= bytes.length) {
    const end = at + CHUNK_OVERHEAD_BYTES + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (IMAGE_CHUNKS.has(type)) kept.push(bytes.subarray(at, end))
    if (type === 'IEND') return Buffer.concat(kept)
    at = end
  }
  throw corrupt('PNG')
}
