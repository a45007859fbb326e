import sharp from 'sharp'

/** A real image of the requested size and format, with a color that depends on `number`. `auto` becomes 1024x1024. */
export async function makeImage(
  parameters: Record<string, unknown>,
  number: number,
  size?: string,
): Promise<Buffer> {
  const [width = 1024, height = 1024] = /^\d+x\d+$/.test(size ?? String(parameters.size))
    ? (size ?? String(parameters.size)).split('x').map(Number)
    : []
  const format = FORMATS.find((name) => name === parameters.output_format) ?? 'png'
  const background = { r: (number * 67) % 256, g: (number * 29) % 256, b: 128 }
  return sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

const FORMATS = ['png', 'jpeg', 'webp'] as const
