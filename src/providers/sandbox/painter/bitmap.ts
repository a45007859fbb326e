// Pictures in memory, and their conversion from SVG and from and to sharp.
import sharp, { type Sharp } from 'sharp'

/** sRGB, eight bits per channel: red, green, blue and, with four channels, straight alpha. */
export interface Bitmap {
  data: Buffer
  width: number
  height: number
  channels: 3 | 4
}

/** Draws an SVG at its own size. */
export function rasterise(svg: string, channels: 3 | 4): Promise<Bitmap> {
  // A large scene exceeds the default limits of libxml2, which guard against untrusted documents.
  return toBitmap(sharp(Buffer.from(svg), { unlimited: true }), channels)
}

/** Starts a sharp pipeline over the pixels. */
export function fromBitmap({ data, width, height, channels }: Bitmap): Sharp {
  return sharp(data, { raw: { width, height, channels } })
}

/** Runs the pipeline. With three channels, alpha is dropped. */
export async function toBitmap(image: Sharp, channels: 3 | 4): Promise<Bitmap> {
  const coloured = image.toColourspace('srgb')
  const { data, info } = await (channels === 4 ? coloured.ensureAlpha() : coloured.removeAlpha())
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels }
}
