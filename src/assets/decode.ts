// Check the signature first: libvips also decodes unsafe formats.
import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { rgbaToThumbHash } from 'thumbhash'
import { corrupt, FORMAT_NAMES, INPUT_FORMATS, readHead, sniffFormat } from './format.ts'
import { rasteriseSvg, SvgNotRendered } from './svg/rasteriser.ts'
import { svgSize } from './svg/size.ts'

export const MAX_PIXELS = 40_000_000

// ThumbHash keeps at most 7 frequencies per edge.
const MAX_THUMBHASH_EDGE = 50
// A progressive JPEG has any number of scans.
const TIMEOUT_SECONDS = 30

// libvips' cache keeps files open and ignores rewritten ones.
sharp.cache(false)

export function openImage(input: string | Buffer, options: SharpOptions = {}): Sharp {
  const limits: SharpOptions = { limitInputPixels: MAX_PIXELS, limitInputChannels: 5, failOn: 'error' }
  return sharp(input, { ...limits, ...options }).timeout({ seconds: TIMEOUT_SECONDS })
}

/** Throws ImageRejected CORRUPT. */
export async function decodeCheck(input: string | Buffer): Promise<void> {
  await decodeSmall(input)
}

/** https://evanw.github.io/thumbhash in base64. Throws ImageRejected CORRUPT. */
export async function thumbhash(input: string | Buffer): Promise<string> {
  const { width, height, rgba } = await decodeSmall(input)
  return Buffer.from(rgbaToThumbHash(width, height, rgba)).toString('base64')
}

/** Decodes the whole image. */
export async function isOpaque(input: string | Buffer): Promise<boolean> {
  return (await openImage(input).stats()).isOpaque
}

/** Of an SVG; null if it is not rendered. */
export async function svgThumbhash(svg: Buffer): Promise<string | null> {
  const { width, height } = svgSize(svg)
  const scale = MAX_THUMBHASH_EDGE / Math.max(width, height)
  const [w, h] = [width, height].map((edge) => Math.max(1, Math.round(edge * scale)))
  try {
    return await thumbhash(await rasteriseSvg({ svg, width: w!, height: h!, ownWidth: width }))
  } catch (error) {
    if (error instanceof SvgNotRendered) return null
    throw error
  }
}

async function decodeSmall(input: string | Buffer): Promise<{ width: number; height: number; rgba: Buffer }> {
  const format = sniffFormat((await readHead(input)).head, [...INPUT_FORMATS, 'GIF'])
  try {
    const { data, info } = await openImage(input)
      .autoOrient()
      .resize(MAX_THUMBHASH_EDGE, MAX_THUMBHASH_EDGE, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, rgba: data }
  } catch (cause) {
    throw corrupt(FORMAT_NAMES[format], cause)
  }
}
