import sharp from 'sharp'

const made = new Map<string, Promise<Buffer>>()

/** A real image of the requested size and format, with a color that depends on `number`. `auto` becomes 1024x1024. */
export function makeImage(
  parameters: Record<string, unknown>,
  number: number,
  size?: string,
): Promise<Buffer> {
  const [width = 1024, height = 1024] = /^\d+x\d+$/.test(size ?? String(parameters.size))
    ? (size ?? String(parameters.size)).split('x').map(Number)
    : []
  const format = FORMATS.find((name) => name === parameters.output_format) ?? 'png'
  // Encoding takes more CPU time than the rest of a request, and every upstream starts with the same numbers.
  const frames = format === 'gif' ? Number(parameters.frame_count ?? 9) : 1
  const delay = Number(parameters.frame_duration_ms ?? 200)
  const key = `${width}x${height} ${format} ${number % COLORS} ${frames} ${delay}`
  const image = made.get(key) ?? encode({ width, height, format, number: number % COLORS, frames, delay })
  made.set(key, image)
  return image
}

const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'svg'] as const
const COLORS = 256

interface ImageToEncode {
  width: number
  height: number
  format: (typeof FORMATS)[number]
  number: number
  frames: number
  /** Of a frame, in milliseconds. */
  delay: number
}

async function encode({ width, height, format, number, frames, delay }: ImageToEncode): Promise<Buffer> {
  const background = { r: (number * 67) % COLORS, g: (number * 29) % COLORS, b: 128 }
  if (format === 'svg') {
    const { r, g, b } = background
    const size = `viewBox="0 0 ${width} ${height}"`
    return Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" ${size}><path fill="rgb(${r},${g},${b})" d="M0 0h${width}v${height}z"/></svg>`,
    )
  }
  const image = sharp({
    create: {
      width,
      height: height * frames,
      channels: 3,
      background,
      ...(frames > 1 && { pageHeight: height }),
    },
  })
  if (format !== 'gif') return image.toFormat(format).toBuffer()
  return image.gif({ delay: Array<number>(frames).fill(delay), keepDuplicateFrames: true }).toBuffer()
}
