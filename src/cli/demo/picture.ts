// Pictures made of characters: two pixels in each, the upper one as the colour of ▀, the lower one behind it.

/** Pixels as red, green, blue bytes, row by row; `height` is even. */
export interface Pixels {
  width: number
  height: number
  rgb: Uint8Array
}

const LARGEST_COLUMNS = 48
// Photographic paper under a safelight: a deep red in which only brightness shows.
const PAPER = [58, 13, 10] as const
const SAFELIGHT = [0.8, 0.14, 0.1] as const

/** Decodes an image to fit into so many characters; undefined when it cannot be decoded. */
export async function decodePicture(
  bytes: Uint8Array,
  room: { columns: number; rows: number },
): Promise<Pixels | undefined> {
  const { default: sharp } = await import('sharp')
  try {
    const { data, info } = await sharp(bytes)
      .resize(Math.min(LARGEST_COLUMNS, room.columns), room.rows * 2, { fit: 'inside' })
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

/** A blank sheet of the same size. */
export function paper({ width, height }: Pixels): Pixels {
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => PAPER[i % 3] ?? 0) }
}

/** The same picture in the darkroom: 0 leaves its colours, 1 shows all of it in the safelight's red. */
export function underSafelight({ width, height, rgb }: Pixels, strength: number): Pixels {
  const lit = new Uint8Array(rgb.length)
  for (let i = 0; i < rgb.length; i += 3) {
    // Weights of https://www.itu.int/rec/R-REC-BT.709
    const brightness = 0.2126 * (rgb[i] ?? 0) + 0.7152 * (rgb[i + 1] ?? 0) + 0.0722 * (rgb[i + 2] ?? 0)
    for (let channel = 0; channel < 3; channel++) {
      const red = brightness * (SAFELIGHT[channel] ?? 0)
      lit[i + channel] = Math.round((rgb[i + channel] ?? 0) * (1 - strength) + red * strength)
    }
  }
  return { width, height, rgb: lit }
}

/** A picture on its way from one to the other, 0..1. Pictures of different sizes are not mixed: the second shows. */
export function develop(from: Pixels, to: Pixels, fraction: number): Pixels {
  if (fraction >= 1 || from.rgb.length !== to.rgb.length || from.width !== to.width) return to
  // Slow at both ends.
  const share = fraction * fraction * (3 - 2 * fraction)
  return {
    ...to,
    rgb: to.rgb.map((value, i) => Math.round((from.rgb[i] ?? 0) * (1 - share) + value * share)),
  }
}

/** One text per two rows of pixels, colours reset at its end. */
export function pictureLines({ width, height, rgb }: Pixels): string[] {
  return Array.from({ length: height / 2 }, (_, row) => {
    let line = ''
    let last = ''
    for (let x = 0; x < width; x++) {
      const colours = `\x1b[38;2;${colour(rgb, row * 2 * width + x)};48;2;${colour(rgb, (row * 2 + 1) * width + x)}m`
      line += colours === last ? '▀' : `${colours}▀`
      last = colours
    }
    return `${line}\x1b[0m`
  })
}

function colour(rgb: Uint8Array, pixel: number): string {
  return `${rgb[pixel * 3]};${rgb[pixel * 3 + 1]};${rgb[pixel * 3 + 2]}`
}
