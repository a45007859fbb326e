// Writes a mask as a PNG with alpha: 0 where the picture is redrawn, 255 elsewhere. Without a canvas, so that its bytes are
// the same in every browser.
import type { Raster } from './raster.ts'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const BYTES_PER_PIXEL = 4
/** 8 bits per channel, RGBA, and the only methods that there are. */
const HEADER_END = [8, 6, 0, 0, 0]

export async function encodeMask({ width, height, pixels }: Raster): Promise<Blob> {
  // Each row starts with its filter, which is none.
  const rowBytes = width * BYTES_PER_PIXEL + 1
  const raw = new Uint8Array(rowBytes * height)
  for (let y = 0; y < height; y++) {
    let offset = y * rowBytes + BYTES_PER_PIXEL
    for (let x = 0; x < width; x++, offset += BYTES_PER_PIXEL)
      raw[offset] = pixels[y * width + x] === 0 ? 255 : 0
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set(HEADER_END, 8)
  const parts = [
    new Uint8Array(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', await deflate(raw)),
    chunk('IEND', new Uint8Array(0)),
  ]
  return new Blob(parts, { type: 'image/png' })
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Length, type, content and checksum (W3C, PNG, 5.3). */
function chunk(type: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, content.length)
  bytes.set(new TextEncoder().encode(type), 4)
  bytes.set(content, 8)
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)))
  return bytes
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}
