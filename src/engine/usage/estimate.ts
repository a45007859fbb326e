import type { ImageRequest } from '../../domain.ts'
import type { ImagePrice, Offer, TokenPrice } from '../../providers/provider.ts'
import { maxTokens } from '../../providers/models/token-limit.ts'

/**
 * The maximum cost of an attempt, which is held before it is sent: in micro-USD, for `n` images of a request. Null without
 * a price. Where the provider chooses a setting, its most expensive choice counts. A provider may still charge more than
 * its published rules; then the reported usage is posted.
 */
export function worstCaseMicros(request: ImageRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price) return null
  return 'imageMicros' in price ? byImage(request, price, n) : byTokens(request, offer.model, price, n)
}

function byImage({ size, quality }: ImageRequest, price: ImagePrice, n: number): number {
  const possible = price.bySettings.filter(
    (entry) =>
      (entry.size === undefined || size === 'auto' || entry.size === size) &&
      (entry.quality === undefined || quality === 'AUTO' || entry.quality === quality),
  )
  return n * Math.max(price.imageMicros, ...possible.map(({ imageMicros }) => imageMicros))
}

function byTokens(request: ImageRequest, model: string, price: TokenPrice, n: number): number {
  const inputImages = request.images.length + (request.mask ? 1 : 0)
  const tokens = maxTokens(model, { ...request, inputImages }, n)
  const micros =
    BigInt(tokens.inputText) * BigInt(price.inputTextMicros) +
    BigInt(tokens.inputImage) * BigInt(price.inputImageMicros ?? 0) +
    BigInt(tokens.outputImage) * BigInt(price.outputImageMicros)
  return Number((micros + 999_999n) / 1_000_000n)
}
