import { decodeImage, imageLines } from './blocks.ts'
import type { ImageProtocol } from './protocol.ts'
import { encodeSixel } from './sixel.ts'

export interface Space {
  columns: number
  rows: number
}

const MAX_COLUMNS = 48
/** Two pixels per point on dense screens. */
const PIXELS_PER_COLUMN = 20
/** A character is about twice as high as wide. */
const CELL_ASPECT = 2
// sw.kovidgoyal.net/kitty/graphics-protocol/#remote-client
const KITTY_CHUNK = 4_096

/** Lines that show an image in a terminal; undefined if it cannot be decoded, or the protocol is `none`. */
export async function inlineImage(
  bytes: Uint8Array,
  protocol: ImageProtocol,
  space: Space,
): Promise<string | undefined> {
  if (protocol === 'none') return undefined
  if (protocol === 'blocks') {
    const pixels = await decodeImage(bytes, space)
    return pixels && `${imageLines(pixels).join('\n')}\n`
  }
  const { default: sharp } = await import('sharp')
  try {
    const image = sharp(bytes).rotate()
    const { width, height } = await image.metadata()
    const cells = fit(width, height, space)
    const size = { width: cells.columns * PIXELS_PER_COLUMN, withoutEnlargement: true }
    if (protocol === 'sixel') {
      const { data, info } = await image
        .resize({ ...size, width: size.width / 2 })
        .flatten({ background: '#808080' })
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true })
      return info.channels === 3
        ? `${encodeSixel({ width: info.width, height: info.height, rgb: data })}\n`
        : undefined
    }
    const png = await image.resize(size).png().toBuffer()
    return `${protocol === 'kitty' ? kitty(png, cells) : iterm(png, cells)}\n`
  } catch {
    return undefined
  }
}

/** In characters. */
function fit(width: number, height: number, space: Space): Space {
  const aspect = height / width / CELL_ASPECT
  const columns = Math.max(
    1,
    Math.min(MAX_COLUMNS, space.columns, Math.floor(space.rows / Math.max(aspect, 0.01))),
  )
  return { columns, rows: Math.max(1, Math.min(space.rows, Math.round(columns * aspect))) }
}

/** q=2: the terminal must not reply. */
function kitty(png: Buffer, { columns, rows }: Space): string {
  const base64 = png.toString('base64')
  const count = Math.ceil(base64.length / KITTY_CHUNK)
  return Array.from({ length: count }, (_, nth) => {
    const first = nth === 0 ? `a=T,f=100,q=2,c=${columns},r=${rows},` : ''
    const chunk = base64.slice(nth * KITTY_CHUNK, (nth + 1) * KITTY_CHUNK)
    return `\x1b_G${first}m=${nth === count - 1 ? 0 : 1};${chunk}\x1b\\`
  }).join('')
}

function iterm(png: Buffer, { columns, rows }: Space): string {
  return `\x1b]1337;File=inline=1;size=${png.length};width=${columns};height=${rows};preserveAspectRatio=1:${png.toString('base64')}\x07`
}
