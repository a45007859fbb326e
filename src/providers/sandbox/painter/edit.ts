// Paints over pictures that came with the request. The first is the base; the others are pinned onto it as prints.
import sharp, { type OverlayOptions } from 'sharp'
import { ProviderError } from '../../error.ts'
import type { ProviderRequestImage as OrderImage } from '../../provider.ts'
import { choosePalette } from './palette.ts'
import { paintCut, paintOverlay, type Canvas } from './painting.ts'
import { fromPixels, rasterise, toPixels, type Pixels } from './pixels.ts'
import { createRandom } from './random.ts'
import { readScene } from './scene.ts'

export interface Retouch {
  prompt: string
  seed: string
  canvas: Canvas
  images: readonly OrderImage[]
  mask: OrderImage | null
  background: 'OPAQUE' | 'TRANSPARENT'
}

/** The base repainted in the mood of the prompt; with a mask, only where the mask is transparent. */
export async function repaint(retouch: Retouch): Promise<Pixels> {
  const [first, ...others] = retouch.images
  if (!first) throw new Error('An edit needs an image')
  const base = await decode(first, retouch.canvas)
  const ground =
    retouch.background === 'OPAQUE'
      ? await toPixels(fromPixels(base).flatten({ background: '#ffffff' }))
      : base
  const graded = await grade(ground, retouch)
  const layers: OverlayOptions[] = [
    { input: Buffer.from(paintOverlay(retouch.prompt, retouch.seed, retouch.canvas)) },
    ...(await Promise.all(others.slice(0, 4).map((image, index) => print(image, index, retouch)))),
  ]
  const painted = await toPixels(fromPixels(graded).composite(layers))
  const cut =
    retouch.background === 'TRANSPARENT' && !first.hasAlpha ? await cutOut(painted, retouch.canvas) : painted
  return retouch.mask ? merge(ground, cut, await decode(retouch.mask, retouch.canvas)) : cut
}

async function decode(image: OrderImage, canvas: Canvas): Promise<Pixels> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  try {
    return await toPixels(
      sharp(bytes)
        .autoOrient()
        .resize({ ...canvas, fit: 'cover' }),
    )
  } catch (cause) {
    throw new ProviderError({
      kind: 'rejected',
      code: 'INPUT_IMAGE_INVALID',
      message: `An input image could not be read as ${image.mimeType}.`,
      charged: 'NO',
      httpStatus: 400,
      cause,
    })
  }
}

// Softens the detail as a broad brush does, and lays the palette's sky over it as coloured light.
async function grade(base: Pixels, { prompt, seed, canvas }: Retouch): Promise<Pixels> {
  const palette = choosePalette(readScene(prompt, createRandom(prompt)), createRandom(`${seed}/palette`))
  const stops = palette.sky
    .map((colour, index) => `<stop offset="${index / 3}" stop-color="${colour}"/>`)
    .join('')
  const wash = (opacity: number) =>
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}"><defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient></defs><rect width="100%" height="100%" fill="url(#g)" opacity="${opacity}"/></svg>`,
    )
  const broad = Math.min(720, canvas.width)
  const brushed = await toPixels(fromPixels(base).resize({ width: broad }).median(5))
  const painted = await toPixels(
    fromPixels(brushed)
      .resize({ ...canvas, fit: 'fill', kernel: 'cubic' })
      .modulate({ saturation: 1.15 })
      .removeAlpha()
      .composite([
        { input: wash(0.75), blend: 'soft-light' },
        { input: wash(0.2), blend: 'over' },
      ]),
  )
  return keepAlpha(painted, base)
}

// Blending light over a picture would also fill its transparent places.
function keepAlpha(painted: Pixels, base: Pixels): Pixels {
  const data = Buffer.from(painted.data)
  for (let at = 3; at < data.length; at += 4) data[at] = base.data[at] ?? 255
  return { ...painted, data }
}

async function print(image: OrderImage, index: number, { canvas, seed }: Retouch): Promise<OverlayOptions> {
  const edge = Math.round(Math.min(canvas.width, canvas.height) * 0.24)
  const border = Math.max(2, Math.round(edge * 0.06))
  const tilt = createRandom(`${seed}/print${index}`).between(-7, 7)
  const framed = await toPixels(
    fromPixels(await decode(image, { width: edge, height: edge }))
      .flatten({ background: '#ffffff' })
      .extend({ top: border, left: border, right: border, bottom: border * 3, background: '#fbf8f1' }),
  )
  const { data, width, height } = await toPixels(fromPixels(framed).rotate(tilt, { background: '#00000000' }))
  const left = Math.max(0, Math.round(canvas.width * 0.97 - width - index * edge * 0.86))
  const top = Math.max(0, Math.round(canvas.height * 0.97 - height - (index % 2) * edge * 0.12))
  return { input: data, raw: { width, height, channels: 4 }, left, top }
}

async function cutOut(painted: Pixels, canvas: Canvas): Promise<Pixels> {
  const shape = await rasterise(paintCut(canvas))
  return keepAlpha(painted, shape)
}

// By hand, because where the mask is opaque not one bit of the base may change.
function merge(base: Pixels, painted: Pixels, mask: Pixels): Pixels {
  const data = Buffer.from(base.data)
  for (let at = 0; at < data.length; at += 4) {
    const kept = (mask.data[at + 3] ?? 255) / 255
    if (kept === 1) continue
    for (let channel = at; channel < at + 4; channel++) {
      data[channel] = Math.round((base.data[channel] ?? 0) * kept + (painted.data[channel] ?? 0) * (1 - kept))
    }
  }
  return { ...base, data }
}
