// PNG files as chunks, https://www.w3.org/TR/png-3/#5Chunk-layout
import { corrupt } from './rejected.ts'

const SIGNATURE_BYTES = 8
// Length, type and CRC around the content of a chunk.
const CHUNK_BYTES = 12

// What a viewer needs to show the right pixels in the right colours. The rest is text, time, EXIF, animation or private.
const PICTURE_CHUNKS = new Set([
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
 * The same picture without what is not picture: EXIF, text, times, animation frames and whatever follows its end. Pixel
 * data and colour description stay byte for byte. Throws ImageRejected CORRUPT when it is no sequence of chunks with an
 * end.
 */
export function stripPng(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, SIGNATURE_BYTES)]
  let at = SIGNATURE_BYTES
  while (at + CHUNK_BYTES <= bytes.length) {
    const end = at + CHUNK_BYTES + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (PICTURE_CHUNKS.has(type)) kept.push(bytes.subarray(at, end))
    if (type === 'IEND') return Buffer.concat(kept)
    at = end
  }
  throw corrupt('PNG')
}
