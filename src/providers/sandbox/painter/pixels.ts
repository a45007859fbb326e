// Raw pictures and the way to and from files.
import sharp, { type Sharp } from 'sharp'
import type { OutputFormat } from '../../../domain.ts'
import { createRandom } from './random.ts'

/** A raw sRGB picture, eight bits a channel, four channels. */
export interface Pixels {
  data: Buffer
  width: number
  height: number
}

export interface Encoding {
  format: OutputFormat
  /** 0 (smallest file) to 100 (best picture), JPEG and WEBP only; null is 90. */
  compression: number | null
  background: 'OPAQUE' | 'TRANSPARENT'
}

/** Draws an SVG at its own size. */
export function rasterise(svg: string): Promise<Pixels> {
  // A large scene has elements far beyond libxml2's default limits; the SVG is our own, so they need not hold.
  return toPixels(sharp(Buffer.from(svg), { unlimited: true }))
}

/** Opens raw pixels for work. */
export function fromPixels(pixels: Pixels): Sharp {
  return sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 4 } })
}

/** Runs the work and takes the result as raw pixels. */
export async function toPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** Writes the picture to a new file. */
export async function writePicture(pixels: Pixels, encoding: Encoding, file: string): Promise<void> {
  const image =
    encoding.background === 'OPAQUE'
      ? fromPixels(pixels).flatten({ background: '#ffffff' })
      : fromPixels(pixels)
  await encode(image, encoding).toFile(file)
}

function encode(image: Sharp, { format, compression }: Encoding): Sharp {
  // Both encoders count from 1 (libjpeg) or 0 (libwebp); 1 serves as the lowest for either.
  const quality = Math.max(1, compression ?? 90)
  if (format === 'PNG') return image.png({ compressionLevel: 4 })
  return format === 'JPEG' ? image.jpeg({ quality }) : image.webp({ quality, effort: 2 })
}

const GRAIN_EDGE = 384

/** Film grain for an opaque picture, the same for the same seed. `strength` is the spread of grey levels, 0 to 60. */
export function addGrain(pixels: Pixels, seed: string, strength: number): Promise<Pixels> {
  const random = createRandom(`${seed}/grain`)
  const edge = Math.min(GRAIN_EDGE, pixels.width, pixels.height)
  const tile = Buffer.alloc(edge * edge * 3)
  for (let at = 0; at < tile.length; at += 3) {
    // The sum of three is close to a bell curve.
    const level = 128 + strength * (random.next() + random.next() + random.next() - 1.5)
    tile.fill(Math.round(level), at, at + 3)
  }
  const raw = { width: edge, height: edge, channels: 3 } as const
  return toPixels(fromPixels(pixels).composite([{ input: tile, raw, tile: true, blend: 'soft-light' }]))
}
