import type { Quality, Settings, Usage } from '../../domain.ts'
import type { ImagePrice, Offer, Price, SvgPrice, TokenPrice } from '../../providers/provider.ts'
import { hasSvgClass, isPriced, svgPriceOf } from '../../providers/models/svg-price.ts'
import { maxTokens } from '../../providers/models/tokens.ts'

/** For image prices. */
export interface Delivered {
  images: number
  /** By default as delivered. */
  ordered?: number
  /** Resolved, else requested. */
  size: string
  quality: Quality
}

/** Besides the price; of input images only their number. */
export interface PricedRequest extends Settings {
  images: { readonly length: number }
  mask: object | null
  markup?: object | null
}

/** Null without a price, for unreported used tokens, and for missing images, which may have been charged. */
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

/** `svgMicros`: the part of an SVG's author, null without one or if unknown. */
export interface AttemptCost {
  totalMicros: number | null
  svgMicros: number | null
}

/** An SVG's author is priced by the model that the provider reports, else the requested one. */
export function attemptCost(
  usage: Usage,
  delivered: Delivered & { svgModel?: string | undefined },
  request: Pick<Settings, 'outputFormat' | 'svg'>,
  offer: Pick<Offer, 'price' | 'svgPrices'> | undefined,
): AttemptCost {
  const imageMicros = costMicros(usage, delivered, offer?.price ?? null)
  const isReported = usage.svgInputTokens != null || usage.svgOutputTokens != null
  if (!offer?.price || !(isReported || hasSvgClass(request, offer.price)))
    return { totalMicros: imageMicros, svgMicros: null }
  const model = delivered.svgModel ?? request.svg?.model
  const price = svgPriceOf(model, offer) ?? svgPriceOf(request.svg?.model, offer)
  const svgMicros = price && costOfSvg(usage, price)
  if (imageMicros === null || svgMicros === null) return { totalMicros: null, svgMicros: null }
  return { totalMicros: imageMicros + svgMicros, svgMicros }
}

/** Null without a price of images. */
export function priceVersionOf(
  request: Pick<Settings, 'outputFormat' | 'svg'>,
  offer: Pick<Offer, 'price' | 'svgPrices'> | undefined,
): string | null {
  if (!offer?.price) return null
  const svg = request.outputFormat === 'SVG' ? svgPriceOf(request.svg?.model, offer) : null
  return svg ? `${offer.price.version}, ${svg.version}` : offer.price.version
}

function costOfSvg({ svgInputTokens, svgOutputTokens }: Usage, price: SvgPrice): number | null {
  if (svgInputTokens === null || svgOutputTokens === null) return null
  const sum =
    BigInt(svgInputTokens) * BigInt(price.inputMicros) + BigInt(svgOutputTokens) * BigInt(price.outputMicros)
  return Number((sum + 500_000n) / 1_000_000n)
}

/**
 * In micro-USD, to be held; null without a price. A setting that the provider chooses counts at its most
 * expensive value. A provider may still charge more than its published rules.
 */
export function worstCaseMicros(request: PricedRequest, offer: Offer, n: number): number | null {
  const { price } = offer
  if (!price || !isPriced(request, offer)) return null
  const images =
    'imageMicros' in price
      ? worstByImage(request, price, n)
      : worstByTokens(request, offer.model, price, n * maxFrames(request, offer))
  return images + n * worstOfSvg(request, offer)
}

/** 0 without an author. */
export function worstOfSvg(request: PricedRequest, offer: Offer): number {
  const price = request.outputFormat === 'SVG' ? svgPriceOf(request.svg?.model, offer) : null
  if (!price) return 0
  const micros =
    BigInt(price.maxInputTokens) * BigInt(price.inputMicros) +
    BigInt(price.maxOutputTokens) * BigInt(price.outputMicros)
  return Number((micros + 999_999n) / 1_000_000n)
}

/** Each frame may count as an image: no page says. */
function maxFrames({ outputFormat, animation }: PricedRequest, { capabilities }: Offer): number {
  if (outputFormat !== 'GIF') return 1
  return animation?.frames ?? capabilities.animation?.defaultFrames ?? 1
}

function worstByImage({ size, quality }: PricedRequest, price: ImagePrice, n: number): number {
  const possible = price.bySettings.filter(
    (entry) =>
      (entry.size === undefined || size === 'auto' || entry.size === size) &&
      (entry.quality === undefined || quality === 'AUTO' || entry.quality === quality),
  )
  return n * Math.max(price.imageMicros, ...possible.map(({ imageMicros }) => imageMicros))
}

/** Mask and markup count as images. */
export function countInputs({
  images,
  mask,
  markup,
}: Pick<PricedRequest, 'images' | 'mask' | 'markup'>): number {
  return images.length + (mask ? 1 : 0) + (markup ? 1 : 0)
}

function worstByTokens(request: PricedRequest, model: string, price: TokenPrice, n: number): number {
  const inputImages = countInputs(request)
  const tokens = maxTokens(model, { ...request, inputImages, imageTokens: price.imageTokens }, n)
  const micros =
    BigInt(tokens.inputText) * BigInt(price.inputTextMicros) +
    BigInt(tokens.inputImage) * BigInt(price.inputImageMicros ?? 0) +
    BigInt(tokens.outputImage) * BigInt(price.outputImageMicros)
  return Number((micros + 999_999n) / 1_000_000n)
}
