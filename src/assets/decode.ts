// The one place where image bytes meet the decoder, so that its limits are the same everywhere. Sniff before you call:
// libvips knows formats that must never be tried on bytes from outside.
import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { FORMAT_NAMES, readHead, sniffFormat } from './format.ts'
import { corrupt } from './rejected.ts'

/** Width times height. The largest picture a provider sells, 3840x2160, has a fifth of it. */
export const MAX_PIXELS = 40_000_000

// ThumbHash takes up to 100, https://github.com/evanw/thumbhash, but keeps at most 7 frequencies per edge.
const SMALL_EDGE = 50
// A full decode of MAX_PIXELS takes under a second; a progressive JPEG of endless scans would take for ever.
const TIMEOUT_SECONDS = 30

// libvips remembers results by file name, and so would answer for a file that was rewritten since. It also keeps
// files open.
sharp.cache(false)

/** A small picture as raw RGBA, not premultiplied. */
export interface DecodedPixels {
  width: number
  height: number
  rgba: Buffer
}

/** A sharp pipeline over untrusted bytes. Pixel data that is cut short is an error, harmless oddities are not. */
export function openImage(input: string | Buffer, options: SharpOptions = {}): Sharp {
  const limits: SharpOptions = { limitInputPixels: MAX_PIXELS, limitInputChannels: 5, failOn: 'error' }
  return sharp(input, { ...limits, ...options }).timeout({ seconds: TIMEOUT_SECONDS })
}

/** Decodes every pixel, as a viewer would. Throws ImageRejected CORRUPT when the file is cut short or damaged. */
export async function decodeCheck(input: string | Buffer): Promise<void> {
  await decodeSmall(input)
}

/** The whole image decoded once and shrunk to fit 50x50. Throws ImageRejected like `decodeCheck`. */
export async function decodeSmall(input: string | Buffer): Promise<DecodedPixels> {
  const format = sniffFormat((await readHead(input)).head)
  try {
    const { data, info } = await openImage(input)
      .autoOrient()
      .resize({ width: SMALL_EDGE, height: SMALL_EDGE, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, rgba: data }
  } catch (cause) {
    throw corrupt(FORMAT_NAMES[format], cause)
  }
}
