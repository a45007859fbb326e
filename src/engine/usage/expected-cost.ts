import { parseSize, type Quality } from '../../domain.ts'
import type { Offer } from '../../providers/provider.ts'
import {
  inputImageTokens,
  outputImageTokens,
  PARTIAL_IMAGE_TOKENS,
  textTokens,
} from '../../providers/models/tokens.ts'
import { costMicros, worstCaseMicros, type PricedRequest } from './cost.ts'

/** Most frequent for `auto`. */
const USUAL_SIZE = '1024x1024'
const USUAL_QUALITY: Quality = 'MEDIUM'

/** `auto` counts as 1024x1024, medium quality; models without token rule as their worst case. Null without a price. */
export function expectedMicros(request: PricedRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price) return null
  const size = request.size === 'auto' ? USUAL_SIZE : request.size
  const quality = request.quality === 'AUTO' ? USUAL_QUALITY : request.quality
  const { width, height } = parseSize(size)!
  const perImage = outputImageTokens(offer.model, quality, width, height)
  if (!('imageMicros' in price) && perImage === null) return worstCaseMicros(request, offer, n)
  const tokens = {
    inputTextTokens: textTokens(request.prompt),
    inputImageTokens: (request.images.length + (request.mask ? 1 : 0)) * inputImageTokens(width, height),
    outputTextTokens: 0,
    outputImageTokens: n * ((perImage ?? 0) + request.partialImages * PARTIAL_IMAGE_TOKENS),
  }
  const usage = {
    ...tokens,
    inputTokens: null,
    outputTokens: null,
    totalTokens: null,
    source: 'ESTIMATED' as const,
  }
  return costMicros(usage, { images: n, size, quality }, price)
}
