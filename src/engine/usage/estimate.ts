// The most an attempt could cost, to be held before it is sent.
import { parseSize, type ImageRequest, type Quality } from '../../domain.ts'
import type { ImagePrice, Offer, TokenPrice } from '../../providers/provider.ts'
import { outputImageTokens, PARTIAL_IMAGE_TOKENS } from '../../providers/models/tokens.ts'

/**
 * In micro-USD, for `n` images of a request at an offer. Null when the offer has no price. Where the provider chooses,
 * its dearest choice counts. An upstream may still charge more than any published rule says; what it reports is posted.
 */
export function worstCaseMicros(request: ImageRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price) return null
  return 'imageMicros' in price ? byImage(request, price, n) : byTokens(request, offer, price, n)
}

function byImage({ size, quality }: ImageRequest, price: ImagePrice, n: number): number {
  const possible = price.bySettings.filter(
    (entry) =>
      (entry.size === undefined || size === 'auto' || entry.size === size) &&
      (entry.quality === undefined || quality === 'AUTO' || entry.quality === quality),
  )
  return n * Math.max(price.imageMicros, ...possible.map(({ imageMicros }) => imageMicros))
}

function byTokens(request: ImageRequest, offer: Offer, price: TokenPrice, n: number): number {
  const { prompt, images, mask, partialImages } = request
  // No tokenizer makes more tokens than bytes; the rest is for the wrapping around a prompt.
  const text = Buffer.byteLength(prompt) + WRAPPING_TOKENS
  const inputs = (images.length + (mask ? 1 : 0)) * MOST_INPUT_IMAGE_TOKENS
  const painted = n * (mostOutputTokens(request, offer) + partialImages * PARTIAL_IMAGE_TOKENS)
  const micros =
    BigInt(text) * BigInt(price.inputTextMicros) +
    BigInt(inputs) * BigInt(price.inputImageMicros ?? 0) +
    BigInt(painted) * BigInt(price.outputImageMicros)
  return Number((micros + 999_999n) / 1_000_000n)
}

const WRAPPING_TOKENS = 32

/**
 * Of one input image at high fidelity, the dearest published rule: 6,240 on top of 65 and 129 for each of eight tiles
 * ("Images and vision" guide, gpt-image-1). The patch rule of later models stays under it.
 */
const MOST_INPUT_IMAGE_TOKENS = 6_240 + 65 + 8 * 129

/** Of one picture of 2880x2880 at high quality: the most that any published rule comes to. */
const MOST_OUTPUT_TOKENS = 23_719

/** The sizes among which an upstream chooses when the size is auto. */
const AUTO_SIZES = ['1024x1024', '1536x1024', '1024x1536']

/** What the published price of a picture of gpt-image-1-mini lies above that of its tokens; no page says why. */
const MINI_TOKENS = 325

/** Unknown rules, such as those of the 2.5 family, count as the dearest known one. */
function mostOutputTokens({ size, quality }: ImageRequest, offer: Offer): number {
  const sizes = size === 'auto' ? AUTO_SIZES : [size]
  const qualities: readonly Quality[] = quality === 'AUTO' ? ['LOW', 'MEDIUM', 'HIGH'] : [quality]
  const tokens = sizes.flatMap((one) => {
    const { width, height } = parseSize(one)!
    return qualities.map((word) => outputImageTokens(offer.model, word, width, height) ?? MOST_OUTPUT_TOKENS)
  })
  return Math.max(...tokens) + (offer.model === 'gpt-image-1-mini' ? MINI_TOKENS : 0)
}
