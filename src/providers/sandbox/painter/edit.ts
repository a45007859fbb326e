// The request's first picture is the base; the others are pinned onto it.
import sharp, { type OverlayOptions } from 'sharp'
import { fromBitmap, rasterise, toBitmap, type Bitmap } from './bitmap.ts'
import { composeEllipse, composeOverlay, type PictureSize } from './compose.ts'
import type { Layout } from './layout.ts'
import type { Palette } from './palette.ts'
import { createRandom } from './random.ts'

export interface SourcePicture {
  mimeType: string
  hasAlpha: boolean
  blob(): Promise<Blob>
}

/** Undecodable; the message is for the caller. */
export class UnreadablePicture extends Error {
  override name = 'UnreadablePicture'

  constructor({ mimeType }: SourcePicture, cause: unknown) {
    super(`An input image could not be read as ${mimeType}.`, { cause })
  }
}

export interface EditRequest extends PictureSize {
  seed: string
  images: readonly SourcePicture[]
  mask: SourcePicture | null
  background: 'OPAQUE' | 'TRANSPARENT'
}

const MAX_PRINTS = 4

/** The base in the prompt's colours, with its subjects; with a mask, only where that is transparent. */
export async function editPicture(layout: Layout, request: EditRequest): Promise<Bitmap> {
  const [first, ...others] = request.images
  if (!first) throw new Error('An edit needs an image')
  const isOpaque = request.background === 'OPAQUE'
  const base = await decode(first, request, isOpaque ? 3 : 4)
  const layers: OverlayOptions[] = [
    { input: Buffer.from(composeOverlay(layout, request)) },
    ...(await Promise.all(
      others.slice(0, MAX_PRINTS).map((image, index) => renderPrint(image, index, request)),
    )),
  ]
  const graded = await grade(base, layout.palette)
  const painted = await toBitmap(fromBitmap(graded).composite(layers), base.channels)
  const result = isOpaque || first.hasAlpha ? painted : await cutOut(painted)
  return request.mask ? merge(base, result, await decode(request.mask, request, 4)) : result
}

/** Three channels: transparent pixels become white. */
async function decode(
  picture: SourcePicture,
  { width, height }: PictureSize,
  channels: 3 | 4,
): Promise<Bitmap> {
  const bytes = Buffer.from(await (await picture.blob()).arrayBuffer())
  const image = sharp(bytes).autoOrient().resize({ width, height, fit: 'cover' })
  try {
    return await toBitmap(channels === 3 ? image.flatten({ background: '#ffffff' }) : image, channels)
  } catch (cause) {
    throw new UnreadablePicture(picture, cause)
  }
}

async function grade(base: Bitmap, { sky }: Palette): Promise<Bitmap> {
  const { width, height } = base
  const stops = sky.map((colour, index) => `<stop offset="${index / 3}" stop-color="${colour}"/>`).join('')
  const wash = (opacity: number) =>
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient></defs><rect width="100%" height="100%" fill="url(#g)" opacity="${opacity}"/></svg>`,
    )
  const brushed = await toBitmap(
    fromBitmap(base)
      .resize({ width: Math.min(720, width) })
      .median(5),
    base.channels,
  )
  const painted = await toBitmap(
    fromBitmap(brushed)
      .resize({ width, height, fit: 'fill', kernel: 'cubic' })
      .modulate({ saturation: 1.15 })
      .removeAlpha()
      .composite([
        { input: wash(0.75), blend: 'soft-light' },
        { input: wash(0.2), blend: 'over' },
      ]),
    base.channels,
  )
  // It fills transparent pixels too.
  return base.channels === 4 ? withAlphaOf(painted, base) : painted
}

function withAlphaOf(colours: Bitmap, alpha: Bitmap): Bitmap {
  const data = Buffer.from(colours.data)
  for (let at = 3; at < data.length; at += 4) data[at] = alpha.data[at] ?? 255
  return { ...colours, data }
}

async function renderPrint(
  picture: SourcePicture,
  index: number,
  { width, height, seed }: EditRequest,
): Promise<OverlayOptions> {
  const edge = Math.round(Math.min(width, height) * 0.24)
  const border = Math.max(2, Math.round(edge * 0.06))
  const tilt = createRandom(`${seed}/print${index}`).between(-7, 7)
  const framed = await toBitmap(
    fromBitmap(await decode(picture, { width: edge, height: edge }, 3)).extend({
      top: border,
      left: border,
      right: border,
      bottom: border * 3,
      background: '#fbf8f1',
    }),
    4,
  )
  const print = await toBitmap(fromBitmap(framed).rotate(tilt, { background: '#00000000' }), 4)
  return {
    input: print.data,
    raw: { width: print.width, height: print.height, channels: 4 },
    left: Math.max(0, Math.round(width * 0.97 - print.width - index * edge * 0.86)),
    top: Math.max(0, Math.round(height * 0.97 - print.height - (index % 2) * edge * 0.12)),
  }
}

async function cutOut(painted: Bitmap): Promise<Bitmap> {
  return withAlphaOf(painted, await rasterise(composeEllipse(painted), 4))
}

// Per pixel: where the mask is opaque, no bit may change.
function merge(base: Bitmap, painted: Bitmap, mask: Bitmap): Bitmap {
  const data = Buffer.from(base.data)
  for (let pixel = 0; pixel < base.width * base.height; pixel++) {
    const kept = (mask.data[pixel * 4 + 3] ?? 255) / 255
    if (kept === 1) continue
    for (let at = pixel * base.channels; at < (pixel + 1) * base.channels; at++) {
      data[at] = Math.round((base.data[at] ?? 0) * kept + (painted.data[at] ?? 0) * (1 - kept))
    }
  }
  return { ...base, data }
}
