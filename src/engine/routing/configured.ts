// What the configuration has at this moment. Attempts outlive it: a provider or an offer that an attempt names may be gone.
import { GatewayError } from '../../errors.ts'
import type { Offer, Provider } from '../../providers/provider.ts'

/** A configured provider; undefined when there is none of the name. */
export function findProvider(providers: readonly Provider[], name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name)
}

/** A configured provider. Throws PROVIDER_UNKNOWN naming `field` when there is none of the name. */
export function getProvider(providers: readonly Provider[], name: string, field: string): Provider {
  const provider = findProvider(providers, name)
  if (provider) return provider
  const known = providers.map((one) => one.name).join(', ')
  throw new GatewayError(
    'PROVIDER_UNKNOWN',
    `There is no provider ${JSON.stringify(name)}. Configured: ${known}.`,
    { field },
  )
}

/** A provider's offer of a model; undefined when the configuration has none. */
export function findOffer(providers: readonly Provider[], name: string, model: string): Offer | undefined {
  return findProvider(providers, name)?.offers.find((offer) => offer.model === model)
}
