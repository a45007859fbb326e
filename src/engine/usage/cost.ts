import type { Quality, Settings, Usage } from '../../domain.ts'
import type { ImagePrice, Offer, Price, TokenPrice } from '../../providers/provider.ts'
import { maxTokens } from '../../providers/models/tokens.ts'

/** For image prices. */
export interface Delivered {
  images: number
  /** As many as delivered if absent. */
  ordered?: number
  /** Resolved, else requested. */
  size: string
  quality: Quality
}

/** What a cost depends on besides the price: of input images only their number. */
export interface PricedRequest extends Settings {
  images: { readonly length: number }
  mask: object | null
}

/** Null without a price, for unreported used tokens, and if images are missing: they may have been charged. */
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

/** Rounded half up. */
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

/**
 * The maximum cost in micro-USD, which is held; null without a price. A setting that the provider chooses counts at
 * its most expensive value. A provider may still charge more than its published rules.
 */
export function worstCaseMicros(request: PricedRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price) return null
  return 'imageMicros' in price
    ? worstByImage(request, price, n)
    : worstByTokens(request, offer.model, price, n)
}

function worstByImage({ size, quality }: PricedRequest, price: ImagePrice, n: number): number {
  const possible = price.bySettings.filter(
    (entry) =>
      (entry.size === undefined || size === 'auto' || entry.size === size) &&
      (entry.quality === undefined || quality === 'AUTO' || entry.quality === quality),
  )
  return n * Math.max(price.imageMicros, ...possible.map(({ imageMicros }) => imageMicros))
}

function worstByTokens(request: PricedRequest, model: string, price: TokenPrice, n: number): number {
  const inputImages = request.images.length + (request.mask ? 1 : 0)
  const tokens = maxTokens(model, { ...request, inputImages }, n)
  const micros =
    BigInt(tokens.inputText) * BigInt(price.inputTextMicros) +
    BigInt(tokens.inputImage) * BigInt(price.inputImageMicros ?? 0) +
    BigInt(tokens.outputImage) * BigInt(price.outputImageMicros)
  return Number((micros + 999_999n) / 1_000_000n)
}
