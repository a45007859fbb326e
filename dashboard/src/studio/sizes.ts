// Sizes that a model supports: whether one is allowed, which are offered, and the nearest allowed one.
import type { SizeChoice } from '../api/generated.ts'

interface Size {
  width: number
  height: number
}

/** Offered by a rule if it allows them. */
const PRESETS = [
  '1024x1024',
  '1536x1024',
  '1024x1536',
  '2048x2048',
  '2048x1152',
  '1152x2048',
  '3840x2160',
  '2160x3840',
]

/** Undefined for `auto`, and for any other text. */
export function parseSize(text: string): Size | undefined {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? []
  return width === undefined || height === undefined
    ? undefined
    : { width: Number(width), height: Number(height) }
}

export function allowsSize({ auto, values, limits }: SizeChoice, size: string): boolean {
  if (size === 'auto') return auto
  if (values) return values.includes(size)
  const parsed = parseSize(size)
  if (!parsed || !limits) return false
  const { width, height } = parsed
  const long = Math.max(width, height)
  return (
    width % limits.multipleOf === 0 &&
    height % limits.multipleOf === 0 &&
    long <= limits.maxEdge &&
    long <= limits.maxRatio * Math.min(width, height) &&
    width * height >= limits.minPixels &&
    width * height <= limits.maxPixels
  )
}

/** `auto` first, then every size of a list, or the presets that a rule allows. */
export function offeredSizes(choice: SizeChoice): string[] {
  const sizes = choice.values ?? PRESETS.filter((size) => allowsSize(choice, size))
  return choice.auto ? ['auto', ...sizes] : [...sizes]
}

/** Of several candidates the one that is most alike in shape, then in pixels. `auto` without any. */
export function nearestSize(choices: readonly SizeChoice[], wanted: string): string {
  const target = parseSize(wanted)
  const sizes = choices.flatMap((choice) => {
    const snapped = target && choice.limits ? snap(target, choice) : []
    return [...snapped, ...offeredSizes(choice)]
  })
  const candidates = sizes.flatMap((text) => {
    const size = parseSize(text)
    return size && target ? [{ text, distance: distanceOf(size, target) }] : []
  })
  candidates.sort((a, b) => a.distance - b.distance)
  return candidates[0]?.text ?? sizes[0] ?? 'auto'
}

function distanceOf(a: Size, b: Size): number {
  const ratio = Math.abs(Math.log(a.width / a.height / (b.width / b.height)))
  const pixels = Math.abs(Math.log((a.width * a.height) / (b.width * b.height)))
  return ratio * 4 + pixels
}

/** Sizes of about the same shape that a rule allows. */
function snap({ width, height }: Size, choice: SizeChoice): string[] {
  const { limits } = choice
  if (!limits) return []
  const { multipleOf, maxEdge, minPixels, maxPixels } = limits
  const pixels = width * height
  const grow = Math.sqrt(Math.min(maxPixels, Math.max(minPixels, pixels)) / pixels)
  const scale = Math.min(grow, maxEdge / Math.max(width, height))
  const round = (edge: number, to: (value: number) => number) =>
    Math.max(1, to((edge * scale) / multipleOf)) * multipleOf
  const sizes = [Math.round, Math.floor, Math.ceil].flatMap((first) =>
    [Math.round, Math.floor, Math.ceil].map((second) => `${round(width, first)}x${round(height, second)}`),
  )
  return sizes.filter((size) => allowsSize(choice, size))
}
