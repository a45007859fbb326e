import type { Settings } from '../../domain.ts'
import type { Offer, Price, SvgPrice } from '../provider.ts'

/** Whether a request can be held: every class that it may use has a price. */
export function isPriced(
  request: Pick<Settings, 'outputFormat' | 'svg'>,
  offer: Pick<Offer, 'price' | 'svgPrices'>,
): boolean {
  return (
    offer.price !== null &&
    (!hasSvgClass(request, offer.price) || svgPriceOf(request.svg?.model, offer) !== null)
  )
}

/** A price per image includes the author. */
export function hasSvgClass({ outputFormat }: Pick<Settings, 'outputFormat'>, price: Price): boolean {
  return outputFormat === 'SVG' && !('imageMicros' in price)
}

/** Without a name, the only one. */
export function svgPriceOf(
  model: string | undefined,
  { svgPrices }: Pick<Offer, 'svgPrices'>,
): SvgPrice | null {
  const all = Object.values(svgPrices)
  if (model !== undefined) return Object.hasOwn(svgPrices, model) ? (svgPrices[model] ?? null) : null
  return all.length === 1 ? (all[0] ?? null) : null
}
