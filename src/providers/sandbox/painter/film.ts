// For three channels, in place.
import type { Bitmap } from './bitmap.ts'
import { channels, type Colour } from './colour.ts'
import { createRandom } from './random.ts'

/** Power of two: a mask wraps an index. */
const STRIP_LENGTH = 2 ** 16
const NOISE_LEVELS = 64

let noiseStrip: Uint8Array | undefined

/** From the seed alone. `strength`: spread of grey levels, 0 to 60. */
export function addGrain({ data, width, height }: Bitmap, seed: string, strength: number): void {
  const strip = (noiseStrip ??= createNoiseStrip())
  const table = softLightTable(strength)
  const random = createRandom(`${seed}/grain`)
  let at = 0
  for (let y = 0; y < height; y++) {
    // Rows start at random places: no visible repetition.
    const start = Math.floor(random.next() * STRIP_LENGTH)
    for (let x = start; x < start + width; x++, at += 3) {
      const level = (strip[x & (STRIP_LENGTH - 1)] ?? 0) << 8
      data[at] = table[level | (data[at] ?? 0)] ?? 0
      data[at + 1] = table[level | (data[at + 1] ?? 0)] ?? 0
      data[at + 2] = table[level | (data[at + 2] ?? 0)] ?? 0
    }
  }
}

// Once: random numbers per pixel would take several times the blending.
function createNoiseStrip(): Uint8Array {
  const random = createRandom('noise')
  return Uint8Array.from({ length: STRIP_LENGTH }, () => {
    // Three approximate a normal distribution.
    const noise = (random.next() + random.next() + random.next()) / 3
    return Math.floor(noise * NOISE_LEVELS)
  })
}

/** By `level * 256 + value`: the channel after blending that level's grey. */
function softLightTable(strength: number): Uint8ClampedArray {
  const table = new Uint8ClampedArray(NOISE_LEVELS * 256)
  for (let level = 0; level < NOISE_LEVELS; level++) {
    const noise = ((level + 0.5) / NOISE_LEVELS - 0.5) * 3
    const grey = (128 + strength * noise) / 255
    for (let value = 0; value < 256; value++) table[level * 256 + value] = 255 * softLight(value / 255, grey)
  }
  return table
}

/** 0 to 1: https://www.w3.org/TR/compositing-1/#blendingsoftlight. */
function softLight(backdrop: number, source: number): number {
  if (source <= 0.5) return backdrop - (1 - 2 * source) * backdrop * (1 - backdrop)
  const lifted = backdrop <= 0.25 ? ((16 * backdrop - 12) * backdrop + 4) * backdrop : Math.sqrt(backdrop)
  return backdrop + (2 * source - 1) * (lifted - backdrop)
}

/** In half edges from the centre: where it begins and where it is strongest. */
const VIGNETTE_START = 0.97
const VIGNETTE_END = 1.56
const VIGNETTE_OPACITY = 0.42

export function addVignette({ data, width, height }: Bitmap, colour: Colour): void {
  const [red = 0, green = 0, blue = 0] = channels(colour)
  const slope = VIGNETTE_OPACITY / (VIGNETTE_END - VIGNETTE_START)
  for (let y = 0; y < height; y++) {
    const down = ((2 * y + 1) / height - 1) ** 2
    // Columns in between stay unchanged.
    const clear = Math.floor((Math.sqrt(Math.max(0, VIGNETTE_START ** 2 - down)) * width) / 2)
    const [left, right] = [Math.floor(width / 2) - clear, Math.ceil(width / 2) + clear]
    for (let x = 0; x < width; x++) {
      if (x === left && clear > 0) x = right
      const across = ((2 * x + 1) / width - 1) ** 2
      const opacity = Math.max(0, Math.sqrt(down + across) - VIGNETTE_START) * slope
      const at = (y * width + x) * 3
      data[at] = blend(data[at] ?? 0, red, opacity)
      data[at + 1] = blend(data[at + 1] ?? 0, green, opacity)
      data[at + 2] = blend(data[at + 2] ?? 0, blue, opacity)
    }
  }
}

/** Plus half: storing in a byte truncates. */
function blend(from: number, to: number, t: number): number {
  return from + (to - from) * t + 0.5
}
