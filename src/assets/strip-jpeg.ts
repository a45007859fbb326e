// JPEG segments: ITU-T T.81 annex B, https://www.w3.org/Graphics/JPEG/itu-t81.pdf
import { corrupt } from './rejected.ts'

const EOI = 0xd9
const SOS = 0xda
const APP0 = 0xe0
const APP2 = 0xe2
const APP14 = 0xee
const APP15 = 0xef
const COM = 0xfe

/**
 * Removes EXIF, XMP, IPTC, comments, thumbnails and trailing data (phones append a second image with its own EXIF). Keeps the
 * compressed data, density, color profile and Adobe's color transform. Throws ImageRejected CORRUPT for malformed segments.
 */
export function stripJpeg(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 2)]
  let at = 2
  for (;;) {
    const start = nextMarker(bytes, at)
    const marker = bytes[start + 1]!
    if (marker === EOI) return Buffer.concat([...kept, bytes.subarray(start, start + 2)])
    const end = start + 2 + segmentLength(bytes, start + 2)
    const segment = bytes.subarray(start, end)
    // Compressed data follows a start of scan and ends at the first marker that is neither stuffing nor a restart.
    at = marker === SOS ? nextMarker(bytes, end) : end
    if (marker === SOS) kept.push(bytes.subarray(start, at))
    else if (isImageSegment(marker, segment.subarray(4))) kept.push(segment)
  }
}

function isImageSegment(marker: number, content: Buffer): boolean {
  if (marker === COM) return false
  if (marker < APP0 || marker > APP15) return true
  if (marker === APP0) return startsWith(content, 'JFIF\0')
  if (marker === APP2) return startsWith(content, 'ICC_PROFILE\0')
  return marker === APP14 && startsWith(content, 'Adobe')
}

function startsWith(content: Buffer, text: string): boolean {
  return content.toString('latin1', 0, text.length) === text
}

/** Position of the 0xFF of the next marker. Skips fill bytes, as decoders do. */
function nextMarker(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(0xff, from)
  while (at >= 0 && at + 1 < bytes.length) {
    const code = bytes[at + 1]!
    if (code !== 0xff && code !== 0 && !isRestart(code)) return at
    at = bytes.indexOf(0xff, code === 0xff ? at + 1 : at + 2)
  }
  throw corrupt('JPEG')
}

function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7
}

function segmentLength(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length) throw corrupt('JPEG')
  const length = bytes.readUInt16BE(at)
  if (length < 2 || at + length > bytes.length) throw corrupt('JPEG')
  return length
}
