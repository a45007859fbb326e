import { parseSize, type Quality } from '../../domain.ts'
import { isPriced } from '../../providers/models/svg-price.ts'
import { UNKNOWN_USAGE, type Offer } from '../../providers/provider.ts'
import {
  inputImageTokens,
  offeredImageTokens,
  PARTIAL_IMAGE_TOKENS,
  textTokens,
} from '../../providers/models/tokens.ts'
import { costMicros, countInputs, worstCaseMicros, worstOfSvg, type PricedRequest } from './cost.ts'

/** Most frequent for `auto`. */
const USUAL_SIZE = '1024x1024'
const USUAL_QUALITY: Quality = 'MEDIUM'

/**
 * `auto` counts as 1024x1024, medium quality; models without token rule, and authors of SVGs, as worst case.
 * Null without a price.
 */
export function expectedMicros(request: PricedRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price || !isPriced(request, offer)) return null
  const size = request.size === 'auto' ? USUAL_SIZE : request.size
  const quality = request.quality === 'AUTO' ? USUAL_QUALITY : request.quality
  const { width, height } = parseSize(size)!
  const perImage = offeredImageTokens(offer, quality, width, height)
  if (!('imageMicros' in price) && perImage === null) return worstCaseMicros(request, offer, n)
  const tokens = {
    inputTextTokens: textTokens(request.prompt),
    inputImageTokens: countInputs(request) * inputImageTokens(width, height),
    outputTextTokens: 0,
    outputImageTokens: n * ((perImage ?? 0) + request.partialImages * PARTIAL_IMAGE_TOKENS),
  }
  const usage = { ...UNKNOWN_USAGE, ...tokens, source: 'ESTIMATED' as const }
  const images = costMicros(usage, { images: n, size, quality }, price)
  return images === null ? null : images + n * worstOfSvg(request, offer)
}
