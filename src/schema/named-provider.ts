import type { Offer, Provider } from '../providers/provider.ts'

export type ProviderRow = ReturnType<typeof toRow>

/** As one provider offers it. */
export interface ModelRow extends Offer {
  id: string
}

/** By the name that a task stores; `configured` is false once it has left the configuration. */
export function namedProvider(name: string, { providers }: { providers: readonly Provider[] }): ProviderRow {
  const provider = providers.find((one) => one.name === name)
  if (!provider) return toRow(name, undefined)
  const row = rows.get(provider) ?? toRow(name, provider)
  rows.set(provider, row)
  return row
}

/** A provider does not change, and viewers ask for it with each event. */
const rows = new WeakMap<Provider, ProviderRow>()

function toRow(name: string, provider: Provider | undefined) {
  const { dialect = null, offers = [], concurrency = 0, traits } = provider ?? {}
  const { modes = [], recovery = null, failureCharge = null } = traits ?? {}
  const configured = provider !== undefined
  const models = offers.map((offer): ModelRow => ({ ...offer, id: `model_${name}/${offer.model}` }))
  return {
    id: `provider_${name}`,
    name,
    configured,
    dialect,
    models,
    concurrency,
    modes,
    recovery,
    failureCharge,
  }
}
