// The limits of the image decoder for untrusted bytes. Check the signature first: libvips also decodes unsafe formats.
import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { rgbaToThumbHash } from 'thumbhash'
import { FORMAT_NAMES, readHead, sniffFormat } from './format.ts'
import { corrupt } from './rejected.ts'

/** Width times height. The largest image of a provider, 3840x2160, has a fifth. */
export const MAX_PIXELS = 40_000_000

// ThumbHash accepts up to 100 (https://github.com/evanw/thumbhash), but keeps at most 7 frequencies per edge.
const MAX_THUMBHASH_EDGE = 50
// Decoding MAX_PIXELS takes under a second; a progressive JPEG may have any number of scans.
const TIMEOUT_SECONDS = 30

// libvips caches by file name, so it would return the old content of a rewritten file. It also keeps files open.
sharp.cache(false)

/** A sharp pipeline with the limits. Truncated pixel data is an error; harmless irregularities are not. */
export function openImage(input: string | Buffer, options: SharpOptions = {}): Sharp {
  const limits: SharpOptions = { limitInputPixels: MAX_PIXELS, limitInputChannels: 5, failOn: 'error' }
  return sharp(input, { ...limits, ...options }).timeout({ seconds: TIMEOUT_SECONDS })
}

/** Decodes every pixel. Throws ImageRejected CORRUPT for a truncated or damaged file. */
export async function decodeCheck(input: string | Buffer): Promise<void> {
  await decodeSmall(input)
}

/**
 * A base64 placeholder of about 25 bytes to show while the image loads: https://evanw.github.io/thumbhash. Includes the
 * check of `decodeCheck` and throws like it.
 */
export async function thumbhash(input: string | Buffer): Promise<string> {
  const { width, height, rgba } = await decodeSmall(input)
  return Buffer.from(rgbaToThumbHash(width, height, rgba)).toString('base64')
}

/** Decodes the entire image and scales it to 50x50, as RGBA without premultiplied alpha. */
async function decodeSmall(input: string | Buffer): Promise<{ width: number; height: number; rgba: Buffer }> {
  const format = sniffFormat((await readHead(input)).head)
  try {
    const { data, info } = await openImage(input)
      .autoOrient()
      .resize({
        width: MAX_THUMBHASH_EDGE,
        height: MAX_THUMBHASH_EDGE,
        fit: 'inside',
        withoutEnlargement: true,
      })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, rgba: data }
  } catch (cause) {
    throw corrupt(FORMAT_NAMES[format], cause)
  }
}
