import type { Quality, Usage } from '../../domain.ts'
import type { ImagePrice, Price, TokenPrice } from '../../providers/provider.ts'

/** What an attempt brought, as far as a price by picture asks. */
export interface Delivered {
  images: number
  /** How many were ordered; as many as came when left out. */
  ordered?: number
  /** As the upstream resolved them, else as asked. */
  size: string
  quality: Quality
}

/**
 * What an attempt cost, in micro-USD: by its tokens or by its pictures, as the price says. Null when there is no price,
 * when a class of tokens was used but not reported, or when a picture that has a price did not come: whether it was made,
 * and so charged, nobody told. Unknown is not zero.
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

/** Each class of tokens at its price, rounded half up once at the end. */
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
