// The only file of this folder that others import.
import { writeFile } from 'node:fs/promises'
import { animate, writeAnimation, type FrameTiming } from './animate.ts'
import { rasterise, type Bitmap } from './bitmap.ts'
import { composeCutout, composeScene, type PictureSize } from './compose.ts'
import { editPicture, type SourcePicture } from './edit.ts'
import { writePicture, type PictureEncoding } from './encode.ts'
import { addGrain, addVignette } from './film.ts'
import { createLayout } from './layout.ts'
import { vignetteColour } from './palette.ts'
import { renderPreview } from './preview.ts'
import { revisePrompt } from './revised-prompt.ts'

export { UnreadablePicture } from './edit.ts'

/** Equal requests give equal bytes. */
export interface PaintRequest extends PictureSize, PictureEncoding {
  background: 'OPAQUE' | 'TRANSPARENT'
  prompt: string
  /** Decides what the prompt leaves open. */
  seed: string
  /** An edit's base, then images to pin onto it; else empty. */
  images: readonly SourcePicture[]
  /** Where opaque, the base stays unchanged; null without a mask. */
  mask: SourcePicture | null
  /** Of a GIF. */
  animation: FrameTiming
}

export interface Picture {
  /** To a new file. */
  write(file: string): Promise<void>
}

export interface PaintedPicture extends Picture {
  /** As a model would rewrite the prompt. */
  revisedPrompt: string
  /** `progress`: above 0 (blank), below 1 (finished). */
  preview(progress: number): Promise<Picture>
}

const GRAIN_STRENGTH = 15

/** Throws UnreadablePicture for an undecodable image or mask. */
export async function paint(request: PaintRequest): Promise<PaintedPicture> {
  if (request.format === 'SVG') return paintSvg(request)
  const bitmap = await render(request)
  const toPicture = (state: Bitmap) => ({ write: (file: string) => write(state, request, file) })
  return {
    ...toPicture(bitmap),
    revisedPrompt: revisePrompt(request.prompt),
    preview: async (progress) => toPicture(await renderPreview(bitmap, progress, request.seed)),
  }
}

function write(
  bitmap: Bitmap,
  { format, compression, animation, seed }: PaintRequest,
  file: string,
): Promise<void> {
  if (format !== 'GIF') return writePicture(bitmap, { format, compression }, file)
  return writeAnimation(animate(bitmap, animation.frames, seed), animation, file)
}

/** The scene of the prompt as text; an edit's images are not in it. */
function paintSvg(request: PaintRequest): PaintedPicture {
  const layout = createLayout(request.prompt, request.seed, request.width / request.height)
  const compose = request.background === 'TRANSPARENT' ? composeCutout : composeScene
  const picture = { write: (file: string) => writeFile(file, compose(layout, request)) }
  return { ...picture, revisedPrompt: revisePrompt(request.prompt), preview: async () => picture }
}

async function render(request: PaintRequest): Promise<Bitmap> {
  const layout = createLayout(request.prompt, request.seed, request.width / request.height)
  if (request.images.length > 0) return editPicture(layout, request)
  if (request.background === 'TRANSPARENT') return rasterise(composeCutout(layout, request), 4)
  const bitmap = await rasterise(composeScene(layout, request), 3)
  addVignette(bitmap, vignetteColour(layout.palette))
  addGrain(bitmap, request.seed, GRAIN_STRENGTH)
  return bitmap
}
