// Test images.
import { crc32, deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'

/** Deterministic noise, which does not compress. */
export function noise(width: number, height: number, channels: 3 | 4 = 3): Sharp {
  const pixels = Buffer.alloc(width * height * channels)
  let state = 1
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    pixels[i] = state >> 16
  }
  return sharp(pixels, { raw: { width, height, channels } })
}

/** The pixels without EXIF orientation, at 16 bits per sample to avoid rounding. */
export function pixelsOf(image: Buffer): Promise<Buffer> {
  return sharp(image).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer()
}

export function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const frame = Buffer.alloc(4)
  frame.writeUInt32BE(content.length)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  return Buffer.concat([frame, body, crc])
}

/** A decompression bomb: a PNG header of any size with little data. */
export function bombPng(width: number, height: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(dataBytes))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** EXIF with location and camera. */
export const PHONE_EXIF = {
  IFD0: { Make: 'Snoopy', Model: 'S1', Copyright: 'private person' },
  IFD3: {
    GPSLatitudeRef: 'N',
    GPSLatitude: '51/1 30/1 3230/100',
    GPSLongitudeRef: 'W',
    GPSLongitude: '0/1 7/1 4366/100',
  },
}
