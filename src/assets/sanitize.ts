import { readFile, rm, writeFile } from 'node:fs/promises'
import type { ImageFacts } from '../domain.ts'
import { openImage } from './decode.ts'
import { corrupt, formatOf, type ImageMimeType } from './format.ts'
import { inspectImage } from './inspect.ts'
import { stripJpeg, stripPng, stripWebp } from './strip-metadata.ts'

const STRIP: Partial<Record<ImageMimeType, (bytes: Buffer) => Buffer>> = {
  'image/png': stripPng,
  'image/jpeg': stripJpeg,
  'image/webp': stripWebp,
}

/**
 * Removes metadata such as location and camera. Pixels stay; EXIF orientation is applied, losslessly where possible. On
 * ImageRejected, the file stays unchanged.
 */
export async function sanitizeInput(file: string, options: { maxBytes?: number } = {}): Promise<ImageFacts> {
  const original = await readFile(file)
  const found = await inspectImage(original, options)
  const strip = STRIP[found.mimeType]
  if (!strip) throw corrupt(found.mimeType)
  const clean = strip(await applyOrientation(original, found.mimeType))
  if (clean.equals(original)) return found
  const facts = await inspectImage(clean, { maxBytes: Infinity })
  // Another name of the file keeps the original.
  await rm(file)
  await writeFile(file, clean)
  return facts
}

async function applyOrientation(bytes: Buffer, mimeType: ImageMimeType): Promise<Buffer> {
  const { orientation = 1, space, depth } = await openImage(bytes).metadata()
  if (orientation === 1) return bytes
  const rotated = openImage(bytes).autoOrient().keepIccProfile()
  // Keeps 16 bits per channel.
  if (mimeType === 'image/png') rotated.toColourspace(depth === 'ushort' ? space : 'srgb').png()
  if (mimeType === 'image/webp')
    rotated.webp(isLossless(bytes) ? { lossless: true, exact: true } : { quality: 95 })
  // Subsampling chroma a second time blurs edges.
  if (mimeType === 'image/jpeg') rotated.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
  return rotated.toBuffer().catch((cause: unknown) => {
    throw corrupt(formatOf(mimeType), cause)
  })
}

/** RFC 9649, 2.6. */
function isLossless(webp: Buffer): boolean {
  return stripWebp(webp).includes('VP8L', 12, 'latin1')
}
