import type { Sharp } from 'sharp'
import type { OutputFormat } from '../../../domain.ts'
import { fromBitmap, type Bitmap } from './bitmap.ts'
import { writePng } from './png.ts'

export interface PictureEncoding {
  /** Not SVG, which is no bitmap. */
  format: OutputFormat
  /** 0 (smallest) to 100 (best), JPEG and WebP only; null: 90. */
  compression: number | null
}

export async function writePicture(bitmap: Bitmap, encoding: PictureEncoding, file: string): Promise<void> {
  if (encoding.format === 'PNG' && bitmap.channels === 3) return writePng(bitmap, file)
  await encode(fromBitmap(bitmap), encoding).toFile(file)
}

function encode(image: Sharp, { format, compression }: PictureEncoding): Sharp {
  // libjpeg counts from 1, libwebp from 0; 1 is the lowest for both.
  const quality = Math.max(1, compression ?? 90)
  if (format === 'PNG') return image.png({ compressionLevel: 4 })
  return format === 'JPEG' ? image.jpeg({ quality }) : image.webp({ quality, effort: 2 })
}
