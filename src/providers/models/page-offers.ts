import { offersFrom, type ModelsOption } from './offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

/**
 * What a reseller serves: its models by the catalogue, corrected by what its own pages list, and that by its
 * configuration. The catalogue's prices are the maker's and not the reseller's, so only configured ones count.
 */
export function offersByPage(models: ModelsOption, page: (model: string) => Partial<Capabilities>): Offer[] {
  return models.flatMap((model) => {
    const entry = typeof model === 'string' ? { name: model } : model
    const { capabilities = {}, ...rest } = entry
    const told = Object.entries(capabilities).filter(([, value]) => value !== undefined)
    return offersFrom([{ ...rest, price: entry.price ?? null }]).map((offer) => ({
      ...offer,
      capabilities: { ...offer.capabilities, ...page(entry.name), ...Object.fromEntries(told) },
    }))
  })
}
