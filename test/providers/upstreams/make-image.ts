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
  const key = `${width}x${height} ${format} ${number % COLORS}`
  const image = made.get(key) ?? encode(width, height, format, number % COLORS)
  made.set(key, image)
  return image
}

const FORMATS = ['png', 'jpeg', 'webp'] as const
const COLORS = 256

function encode(
  width: number,
  height: number,
  format: (typeof FORMATS)[number],
  number: number,
): Promise<Buffer> {
  const background = { r: (number * 67) % COLORS, g: (number * 29) % COLORS, b: 128 }
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}
