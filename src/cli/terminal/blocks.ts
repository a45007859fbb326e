// ▀ shows two pixels: the upper is its foreground, the lower its background.

/** RGB bytes by row; `height` is even. */
export interface Pixels {
  width: number
  height: number
  rgb: Uint8Array
}

const MAX_COLUMNS = 48
const BLANK = [58, 13, 10] as const
const RED = [0.8, 0.14, 0.1] as const

/** Fits an image into a number of characters; undefined if it cannot be decoded. */
export async function decodeImage(
  bytes: Uint8Array,
  space: { columns: number; rows: number },
): Promise<Pixels | undefined> {
  const { default: sharp } = await import('sharp')
  try {
    const { data, info } = await sharp(bytes)
      .resize(Math.min(MAX_COLUMNS, space.columns), space.rows * 2, { fit: 'inside' })
      .flatten({ background: '#808080' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) return undefined
    const height = info.height - (info.height % 2)
    return { width: info.width, height, rgb: data.subarray(0, info.width * height * 3) }
  } catch {
    return undefined
  }
}

export function blankLike({ width, height }: Pixels): Pixels {
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => BLANK[i % 3] ?? 0) }
}

/** Towards a red monochrome version. `share` is 0..1. */
export function tintRed({ width, height, rgb }: Pixels, share: number): Pixels {
  const tinted = new Uint8Array(rgb.length)
  for (let i = 0; i < rgb.length; i += 3) {
    // Weights: https://www.itu.int/rec/R-REC-BT.709
    const brightness = 0.2126 * (rgb[i] ?? 0) + 0.7152 * (rgb[i + 1] ?? 0) + 0.0722 * (rgb[i + 2] ?? 0)
    for (let channel = 0; channel < 3; channel++) {
      const red = brightness * (RED[channel] ?? 0)
      tinted[i + channel] = Math.round((rgb[i + channel] ?? 0) * (1 - share) + red * share)
    }
  }
  return { width, height, rgb: tinted }
}

/** `fraction` is 0..1. Returns `to` if the sizes differ. */
export function crossFade(from: Pixels, to: Pixels, fraction: number): Pixels {
  if (fraction >= 1 || from.rgb.length !== to.rgb.length || from.width !== to.width) return to
  const share = fraction * fraction * (3 - 2 * fraction)
  return {
    ...to,
    rgb: to.rgb.map((value, i) => Math.round((from.rgb[i] ?? 0) * (1 - share) + value * share)),
  }
}

/** One line per two rows of pixels. */
export function imageLines({ width, height, rgb }: Pixels): string[] {
  return Array.from({ length: height / 2 }, (_, row) => {
    let line = ''
    let last = ''
    for (let x = 0; x < width; x++) {
      const colors = `\x1b[38;2;${colorAt(rgb, row * 2 * width + x)};48;2;${colorAt(rgb, (row * 2 + 1) * width + x)}m`
      line += colors === last ? '▀' : `${colors}▀`
      last = colors
    }
    return `${line}\x1b[0m`
  })
}

function colorAt(rgb: Uint8Array, pixel: number): string {
  return `${rgb[pixel * 3]};${rgb[pixel * 3 + 1]};${rgb[pixel * 3 + 2]}`
}
