import { GatewayError } from '../../errors.ts'
import type { Offer, Provider } from '../../providers/provider.ts'

export function findProvider(providers: readonly Provider[], name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name)
}

/** Throws PROVIDER_UNKNOWN for `field`. */
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

export function findOffer(providers: readonly Provider[], name: string, model: string): Offer | undefined {
  return findProvider(providers, name)?.offers.find((offer) => offer.model === model)
}
