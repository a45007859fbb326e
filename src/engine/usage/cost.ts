import type { Quality, Usage } from '../../domain.ts'
import type { ImagePrice, Price, TokenPrice } from '../../providers/provider.ts'

/** What an attempt delivered, for a price by image. */
export interface Delivered {
  images: number
  /** The number of requested images; as many as delivered when absent. */
  ordered?: number
  /** As the provider resolved it, else as requested. */
  size: string
  quality: Quality
}

/**
 * The cost of an attempt in micro-USD, by tokens or by images. Null, unknown, when there is no price, when a class of
 * tokens was used but not reported, or when fewer images came than requested: the missing ones may have been charged.
 */
export function costMicros(usage: Usage, delivered: Delivered, price: Price | null): number | null {
  if (!price) return null
  return 'imageMicros' in price ? costByImage(delivered, price) : costByTokens(usage, price)
}

function costByImage(
  { images, ordered = images, size, quality }: Delivered,
  price: ImagePrice,
): number | null {
  if (images < ordered) return null
  const entry = price.bySettings.find(
    (one) =>
      (one.size === undefined || one.size === size) && (one.quality === undefined || one.quality === quality),
  )
  return images * (entry ?? price).imageMicros
}

/** Each class of tokens at its price; the sum is rounded half up. */
function costByTokens(usage: Usage, price: TokenPrice): number | null {
  if (usage.source === 'UNKNOWN') return null
  const classes: [tokens: number | null, perMillion: number | null][] = [
    [usage.inputTextTokens, price.inputTextMicros],
    [usage.inputImageTokens, price.inputImageMicros],
    [usage.outputTextTokens, price.outputTextMicros],
    [usage.outputImageTokens, price.outputImageMicros],
  ]
  let sum = 0n
  for (const [tokens, perMillion] of classes) {
    if (tokens === null) return null
    if (tokens === 0) continue
    if (perMillion === null) return null
    sum += BigInt(tokens) * BigInt(perMillion)
  }
  return Number((sum + 500_000n) / 1_000_000n)
}
