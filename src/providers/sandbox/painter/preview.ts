import { fromBitmap, toBitmap, type Bitmap } from './bitmap.ts'
import { addGrain } from './film.ts'
import { createRandom } from './random.ts'

/** `progress`: above 0 (blank: blurred, pale, stained), below 1. Keeps a transparent background. */
export async function renderPreview(bitmap: Bitmap, progress: number, seed: string): Promise<Bitmap> {
  const missing = 1 - progress
  const { width, height, channels } = bitmap
  const scale = 0.05 + 0.5 * progress ** 2
  const contrast = 0.2 + 0.75 * progress
  const lift = 236 * (1 - contrast)
  const isOpaque = channels === 3
  // A small copy suffices for blur, many times faster.
  const blurred = await toBitmap(
    fromBitmap(bitmap)
      .resize({ width: shrink(width, scale), height: shrink(height, scale), fit: 'fill' })
      .blur(0.4 + 2.4 * missing),
    channels,
  )
  const factors = [contrast, contrast, contrast, 1]
  const offsets = [lift, lift, lift * 0.96, 0]
  const pale = await toBitmap(
    fromBitmap(blurred)
      .modulate({ saturation: 0.25 + 0.75 * progress })
      .linear(factors.slice(0, channels), offsets.slice(0, channels)),
    channels,
  )
  const stained = isOpaque ? await addStains(pale, missing, seed) : pale
  const large = fromBitmap(stained).resize({ width, height, fit: 'fill', kernel: 'cubic' })
  const preview = await toBitmap(large, channels)
  if (isOpaque) addGrain(preview, `${seed}/${progress}`, 22 + 60 * missing)
  return preview
}

function shrink(edge: number, scale: number): number {
  return Math.max(16, Math.round(edge * scale))
}

async function addStains(bitmap: Bitmap, missing: number, seed: string): Promise<Bitmap> {
  const random = createRandom(`${seed}/stains`)
  const edge = 9
  const coarse = Buffer.alloc(edge * edge * 4, 244)
  for (let at = 3; at < coarse.length; at += 4) coarse[at] = Math.round(150 * missing * random.next())
  const { width, height } = bitmap
  const stains = await toBitmap(
    fromBitmap({ data: coarse, width: edge, height: edge, channels: 4 }).resize({
      width,
      height,
      fit: 'fill',
      kernel: 'cubic',
    }),
    4,
  )
  const raw = { width, height, channels: 4 } as const
  return toBitmap(fromBitmap(bitmap).composite([{ input: stains.data, raw, blend: 'over' }]), 3)
}
