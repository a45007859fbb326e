import type { Offer, Provider } from '../../providers/provider.ts'
import { describeSizes } from '../../engine/routing/match.ts'

/** Unknown; clients may require a number. */
const CREATED = 0

interface ModelBody {
  id: string
  object: 'model'
  created: number
  owned_by: 'darkroom'
  name: string
  darkroom: object
}

/** The union of what its providers support. */
export function listModels(providers: readonly Provider[]): ModelBody[] {
  const byName = Map.groupBy(
    providers.flatMap(({ offers }) => offers),
    ({ model }) => model,
  )
  return [...byName].map(([id, offers]) => ({
    id,
    object: 'model',
    created: CREATED,
    owned_by: 'darkroom',
    name: id,
    darkroom: describe(offers),
  }))
}

function describe(offers: readonly Offer[]): object {
  const all = offers.map(({ capabilities }) => capabilities)
  const union = (read: (one: (typeof all)[number]) => readonly string[]) => [...new Set(all.flatMap(read))]
  const words = (read: (one: (typeof all)[number]) => readonly string[]) =>
    union(read).map((word) => word.toLowerCase())
  return {
    operations: words(({ operations }) => operations),
    sizes: union(({ sizes }) => [describeSizes(sizes)]),
    qualities: words(({ qualities }) => qualities),
    backgrounds: words(({ backgrounds }) => backgrounds),
    output_formats: words(({ outputFormats }) => outputFormats),
    complexities: words(({ complexities }) => complexities),
    mask: all.some(({ mask }) => mask),
    markup: all.some(({ markup }) => markup),
    max_input_images: Math.max(...all.map(({ maxInputImages }) => maxInputImages)),
    max_partial_images: Math.max(...all.map(({ maxPartialImages }) => maxPartialImages)),
    retires_on: offers.find(({ retiresOn }) => retiresOn !== null)?.retiresOn ?? null,
  }
}
