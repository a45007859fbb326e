import type { Offer, Provider } from '../providers/provider.ts'

export type ProviderRow = ReturnType<typeof namedProvider>

/** As one provider offers it. */
export interface ModelRow extends Offer {
  id: string
}

/** By the name that a task stores; `configured` is false once it has left the configuration. */
export function namedProvider(name: string, { providers }: { providers: readonly Provider[] }) {
  const provider = providers.find((one) => one.name === name)
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
