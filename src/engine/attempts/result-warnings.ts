// Images that differ from the request are kept, because they were paid for.
import { formatOf } from '../../assets/format.ts'
import type { AssetRow, AttemptRow } from '../../db/tables/tables.ts'
import { parseSize, type Background, type ImageRequest, type Warning } from '../../domain.ts'

type ResultImage = Pick<AssetRow, 'attemptId' | 'width' | 'height' | 'mimeType' | 'thumbhash'>

/** `images`: the final ones of the task. */
export function resultWarnings(
  { size, outputFormat, background }: Pick<ImageRequest, 'size' | 'outputFormat' | 'background'>,
  attempts: readonly Pick<AttemptRow, 'id' | 'provider' | 'state' | 'n'>[],
  images: readonly ResultImage[],
): Warning[] {
  return [
    ...attempts.flatMap((attempt) => countWarnings(attempt, images)),
    ...sizeWarnings(size, images),
    ...formatWarnings(outputFormat, images),
    ...backgroundWarnings(background, images),
  ]
}

export function countWarnings(
  { id, provider, state, n }: Pick<AttemptRow, 'id' | 'provider' | 'state' | 'n'>,
  images: readonly Pick<ResultImage, 'attemptId'>[],
): Warning[] {
  const received = images.filter(({ attemptId }) => attemptId === id).length
  if (state !== 'SUCCEEDED' || received === n) return []
  const requested = n === 1 ? 'One image was' : `${n} images were`
  const message = `${requested} requested from ${provider}; it returned ${received}.`
  return [{ code: 'IMAGES_MISSING', field: 'n', message }]
}

export function sizeWarnings(
  requested: string,
  images: readonly Pick<ResultImage, 'width' | 'height' | 'mimeType'>[],
): Warning[] {
  const size = parseSize(requested)
  if (!size) return []
  // An SVG has a shape, and is drawn in any size.
  const isScaled = ({ width, height, mimeType }: (typeof images)[number]) =>
    formatOf(mimeType) === 'SVG' && Math.abs((width * size.height) / (height * size.width) - 1) < 0.01
  const sizes = images.filter((image) => !isScaled(image)).map(({ width, height }) => `${width}x${height}`)
  return warningsOf('SIZE_DIFFERS', 'size', requested, sizes)
}

export function formatWarnings(
  requested: string,
  images: readonly Pick<ResultImage, 'mimeType'>[],
): Warning[] {
  const formats = images.map(({ mimeType }) => formatOf(mimeType))
  return warningsOf('FORMAT_DIFFERS', 'outputFormat', requested, formats)
}

export function backgroundWarnings(
  requested: Background,
  images: readonly Pick<ResultImage, 'thumbhash'>[],
): Warning[] {
  if (requested === 'AUTO') return []
  const backgrounds = images.flatMap(({ thumbhash }) => (thumbhash ? backgroundOf(thumbhash) : []))
  return warningsOf('BACKGROUND_DIFFERS', 'background', requested, backgrounds)
}

/** A bit of the hash tells whether any pixel is transparent: https://github.com/evanw/thumbhash. */
function backgroundOf(thumbhash: string): Background {
  return (Buffer.from(thumbhash, 'base64')[2] ?? 0) & 0x80 ? 'TRANSPARENT' : 'OPAQUE'
}

function warningsOf(
  code: Warning['code'],
  field: string,
  requested: string,
  received: readonly string[],
): Warning[] {
  const others = new Set(received)
  others.delete(requested)
  if (others.size === 0) return []
  const message = `${field} is ${requested}; the provider returned ${[...others].join(', ')}.`
  return [{ code, field, message }]
}
