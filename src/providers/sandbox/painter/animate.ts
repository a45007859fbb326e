// A moving light, for the price of a copy per frame.
import { fromBitmap, type Bitmap } from './bitmap.ts'
import { createRandom } from './random.ts'

export interface FrameTiming {
  frames: number
  frameDurationMs: number
}

/** Frames below each other. */
export interface Film extends Bitmap {
  frames: number
}

/** Of the short edge. */
const RADIUS = 0.09

export function animate(bitmap: Bitmap, frames: number, seed: string): Film {
  const { data, width, height, channels } = bitmap
  const random = createRandom(`${seed}/light`)
  const film = Buffer.alloc(data.length * frames)
  const radius = Math.max(2, RADIUS * Math.min(width, height))
  const [from, top] = [random.between(0.05, 0.2), random.between(0.2, 0.4)]
  for (let frame = 0; frame < frames; frame++) {
    data.copy(film, frame * data.length)
    const along = frames === 1 ? 0.5 : frame / (frames - 1)
    const x = width * (from + (1 - 2 * from) * along)
    const y = height * (top - 0.15 * Math.sin(Math.PI * along))
    const one = film.subarray(frame * data.length, (frame + 1) * data.length)
    drawLight({ data: one, width, height, channels }, { x, y, radius })
  }
  return { data: film, width, height: height * frames, channels, frames }
}

function drawLight(
  { data, width, height, channels }: Bitmap,
  { x: centreX, y: centreY, radius }: { x: number; y: number; radius: number },
): void {
  const [left, right] = [
    Math.max(0, Math.floor(centreX - radius)),
    Math.min(width, Math.ceil(centreX + radius)),
  ]
  const [top, bottom] = [
    Math.max(0, Math.floor(centreY - radius)),
    Math.min(height, Math.ceil(centreY + radius)),
  ]
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const opacity = 1 - Math.hypot(x - centreX, y - centreY) / radius
      if (opacity <= 0) continue
      const at = (y * width + x) * channels
      for (const [channel, light] of LIGHT.entries())
        data[at + channel] = Math.round((data[at + channel] ?? 0) * (1 - opacity) + light * opacity)
      if (channels === 4) data[at + 3] = Math.max(data[at + 3] ?? 0, Math.round(255 * opacity))
    }
}

const LIGHT = [255, 244, 200] as const

export async function writeAnimation(
  { frames, ...bitmap }: Film,
  { frameDurationMs }: FrameTiming,
  file: string,
): Promise<void> {
  const delay = Array.from({ length: frames }, () => frameDurationMs)
  await fromBitmap(bitmap, bitmap.height / frames)
    .gif({ delay, loop: 0, effort: 1, dither: 0, interFrameMaxError: 8, reuse: true })
    .toFile(file)
}
