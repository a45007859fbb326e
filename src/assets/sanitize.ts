import { readFile, writeFile } from 'node:fs/promises'
import type { ImageFacts } from '../domain.ts'
import { openImage } from './decode.ts'
import type { ImageMimeType } from './format.ts'
import { inspectImage, type InspectOptions } from './inspect.ts'
import { corrupt } from './rejected.ts'
import { stripJpeg } from './strip-jpeg.ts'
import { stripPng } from './strip-png.ts'
import { stripWebp } from './strip-webp.ts'

const STRIP: Record<ImageMimeType, (bytes: Buffer) => Buffer> = {
  'image/png': stripPng,
  'image/jpeg': stripJpeg,
  'image/webp': stripWebp,
}

/**
 * Rewrites an input image in place so that it says nothing but the picture: where a photo was taken and with which camera
 * is nobody's business upstream. Pixel data is kept bit for bit, with one exception: an image that EXIF says to turn is
 * turned and encoded again, without loss where its format can. Resolves to the facts of what lies there now. Throws
 * ImageRejected, and the file is then as it was.
 */
export async function sanitizeInput(file: string, options: InspectOptions = {}): Promise<ImageFacts> {
  const original = await readFile(file)
  const found = await inspectImage(original, options)
  const upright = await turnUpright(original, found.mimeType)
  const clean = STRIP[found.mimeType](upright)
  if (clean.equals(original)) return found
  const facts = await inspectImage(clean, { maxBytes: Infinity })
  await writeFile(file, clean)
  return facts
}

async function turnUpright(bytes: Buffer, mimeType: ImageMimeType): Promise<Buffer> {
  const { orientation = 1, space, depth } = await openImage(bytes).metadata()
  if (orientation === 1) return bytes
  const turned = openImage(bytes).autoOrient().keepIccProfile()
  if (mimeType === 'image/png') {
    // Without this a 16-bit PNG would come out with 8.
    turned.toColourspace(depth === 'ushort' ? space : 'srgb').png()
  }
  if (mimeType === 'image/webp')
    turned.webp(isLossless(bytes) ? { lossless: true, exact: true } : { quality: 95 })
  // Full chroma, since halving it a second time is what blurs edges.
  if (mimeType === 'image/jpeg') turned.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
  return turned.toBuffer().catch((cause: unknown) => {
    throw corrupt(mimeType.slice('image/'.length).toUpperCase(), cause)
  })
}

/** Whether a WebP keeps its pixels in a `VP8L` chunk, https://www.rfc-editor.org/rfc/rfc9649#section-2.6. */
function isLossless(webp: Buffer): boolean {
  return stripWebp(webp).includes('VP8L', 12, 'latin1')
}
