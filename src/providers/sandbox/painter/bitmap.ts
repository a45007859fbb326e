import sharp, { type Sharp } from 'sharp'

/** sRGB, eight bits per channel; a fourth is straight alpha. */
export interface Bitmap {
  data: Buffer
  width: number
  height: number
  channels: 3 | 4
}

/** At its own size. */
export function rasterise(svg: string, channels: 3 | 4): Promise<Bitmap> {
  // Large scenes exceed libxml2's limits for untrusted documents.
  return toBitmap(sharp(Buffer.from(svg), { unlimited: true }), channels)
}

/** `pageHeight`: of the frames below each other. */
export function fromBitmap({ data, width, height, channels }: Bitmap, pageHeight = height): Sharp {
  return sharp(data, { raw: { width, height, channels, pageHeight } })
}

/** Three channels drop alpha. */
export async function toBitmap(image: Sharp, channels: 3 | 4): Promise<Bitmap> {
  const coloured = image.toColourspace('srgb')
  const { data, info } = await (channels === 4 ? coloured.ensureAlpha() : coloured.removeAlpha())
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels }
}
