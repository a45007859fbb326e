import type { Clock } from '../../clock.ts'
import type { ImageRequest } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Offer, Provider } from '../../providers/provider.ts'
import { fit, type Fit } from './match.ts'

/** A provider that can serve a request, and how. */
export interface Route {
  provider: Provider
  offer: Offer
  fit: Fit
}

/** What routing needs to know of the moment. */
export interface Now {
  /** An ISO date, to warn of models that retire. */
  today: string
  /** Whether a provider, or this model of it, is given no work for a while: it is then the last choice. */
  resting(provider: string, model: string): boolean
  /** Whether a budget counts: an offer without a price would be refused then, and is chosen only where there is no other. */
  needsPrice: boolean
}

/** Today as an ISO date, by the engine's clock. */
export function todayOf({ clock }: { clock: Clock }): string {
  return new Date(clock.now()).toISOString().slice(0, 10)
}

/**
 * Pure. All providers that can serve a request, best first: the client's order when it named providers; else those
 * that honour every setting before those that would have to warn, those that need fewer calls before others, in the
 * operator's order. Whoever rests comes last, and behind them whoever has no price where one is needed. Throws GatewayError
 * when there is none: PROVIDER_UNKNOWN, MODEL_UNKNOWN, or why the offers do not fit.
 */
export function routes(request: ImageRequest, providers: readonly Provider[], now: Now): Route[] {
  const allowed = request.providers ? named(request.providers, providers) : providers
  const offering = allowed.flatMap((provider) => {
    const offer = provider.offers.find(({ model }) => model === request.model)
    return offer ? [{ provider, offer, fit: fit(request, offer, now.today) }] : []
  })
  if (offering.length === 0) throw unknownModel(request.model, allowed)
  const able = offering.filter((route) => route.fit.refusals.length === 0)
  if (able.length === 0) throw refused(offering)
  const last = ({ provider, offer }: Route) =>
    Number(now.needsPrice && offer.price === null) * 2 + Number(now.resting(provider.name, offer.model))
  if (request.providers) return able.toSorted((a, b) => last(a) - last(b))
  return able.toSorted(
    (a, b) => last(a) - last(b) || changes(a) - changes(b) || calls(request, a) - calls(request, b),
  )
}

/** A provider's offer of a model; undefined when the configuration has none. */
export function findOffer(providers: readonly Provider[], name: string, model: string): Offer | undefined {
  return providers.find((provider) => provider.name === name)?.offers.find((offer) => offer.model === model)
}

/** How many calls it takes to make all images there. */
function calls({ n }: ImageRequest, { offer }: Route): number {
  return Math.ceil(n / offer.capabilities.maxN)
}

function changes({ fit: { warnings } }: Route): number {
  return warnings.filter(({ code }) => code !== 'MODEL_RETIRING').length
}

function named(names: string[], providers: readonly Provider[]): Provider[] {
  return names.map((name, i) => {
    const provider = providers.find((one) => one.name === name)
    if (provider) return provider
    const known = providers.map((one) => one.name).join(', ')
    throw new GatewayError(
      'PROVIDER_UNKNOWN',
      `There is no provider ${JSON.stringify(name)}. Configured: ${known}.`,
      {
        field: `providers.${i}`,
      },
    )
  })
}

function unknownModel(model: string, providers: readonly Provider[]): GatewayError {
  const known = [...new Set(providers.flatMap(({ offers }) => offers.map((offer) => offer.model)))]
  return new GatewayError(
    'MODEL_UNKNOWN',
    `No provider serves the model ${JSON.stringify(model)}. Served: ${known.join(', ')}.`,
    {
      field: 'model',
    },
  )
}

function refused(offering: Route[]): GatewayError {
  // The offer that comes closest says why: one more thing to mend, not five.
  const [closest] = offering.toSorted((a, b) => a.fit.refusals.length - b.fit.refusals.length)
  const [refusal] = closest!.fit.refusals
  return new GatewayError(refusal!.code, refusal!.message, { field: refusal!.field })
}
