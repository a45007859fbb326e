import type { Clock } from '../../clock.ts'
import type { Queries } from '../../db/connection/database.ts'
import { listBudgetsOn } from '../../db/money/spending.ts'
import type { Caller } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Offer, Provider } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { getProvider } from './configured.ts'
import { readInCooldown } from './health.ts'
import { matchCapabilities, type CapabilityMatch, type RoutingRequest } from './match.ts'

/** A provider that can serve a request, and how. */
export interface Route {
  provider: Provider
  offer: Offer
  match: CapabilityMatch
  /** Whether it gets no new work at this moment. */
  inCooldown: boolean
  /** Whether a budget applies and the offer has no price, so that planning it is refused. */
  lacksPrice: boolean
}

/** What routing depends on besides the request and the configuration. */
export interface RoutingConditions {
  /** An ISO date, to warn of models that retire. */
  today: string
  /** Whether a provider, or this model of it, gets no new work at this moment. */
  inCooldown: (provider: string, model: string) => boolean
  /** Whether a budget applies, so that an offer without a price would be refused. */
  needsPrice: boolean
}

/** All routes for a request at this moment, best first, for the caller who pays. Throws as `routes` does. */
export async function findRoutes(
  q: Queries,
  { providers, clock }: Pick<Deps, 'providers' | 'clock'>,
  by: Caller,
  request: RoutingRequest,
): Promise<Route[]> {
  const inCooldown = await readInCooldown(q)
  // Budgets matter only where a price is missing.
  const allPriced = providers.every(({ offers }) => offers.every(({ price }) => price !== null))
  const needsPrice = !allPriced && (await listBudgetsOn(q, by)).length > 0
  return routes(request, providers, { today: todayOf(clock), inCooldown, needsPrice })
}

/** Today as an ISO date. */
export function todayOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().slice(0, 10)
}

/**
 * Pure. All providers that can serve a request, best first: in the client's order when it named providers; else those
 * that honour every setting before those with warnings, then those that need fewer calls, then the operator's order. In
 * both cases providers in cooldown come last, and after them those without a price where one is needed. Throws
 * GatewayError when there is none: PROVIDER_UNKNOWN, MODEL_UNKNOWN, or why the offers do not match.
 */
export function routes(
  request: RoutingRequest,
  providers: readonly Provider[],
  { today, inCooldown, needsPrice }: RoutingConditions,
): Route[] {
  const allowed = request.providers?.map((name, i) => getProvider(providers, name, `providers.${i}`))
  const offering = offersOf(request.model, allowed ?? providers)
  const matched = offering.map(({ provider, offer }) => ({
    provider,
    offer,
    match: matchCapabilities(request, offer, today),
    inCooldown: inCooldown(provider.name, offer.model),
    lacksPrice: needsPrice && offer.price === null,
  }))
  const able = matched.filter(({ match }) => match.refusals.length === 0)
  if (able.length === 0) throw refusalOf(matched)
  const preference = allowed
    ? () => 0
    : (a: Route, b: Route) => changesOf(a) - changesOf(b) || callsFor(request.n, a) - callsFor(request.n, b)
  return able.toSorted((a, b) => lastResort(a) - lastResort(b) || preference(a, b))
}

/** The offers of a model, in order of their providers. Throws MODEL_UNKNOWN when there is none. */
function offersOf(model: string, providers: readonly Provider[]): { provider: Provider; offer: Offer }[] {
  const found = providers.flatMap((provider) => {
    const offer = provider.offers.find((one) => one.model === model)
    return offer ? [{ provider, offer }] : []
  })
  if (found.length > 0) return found
  const known = [...new Set(providers.flatMap(({ offers }) => offers.map((offer) => offer.model)))]
  throw new GatewayError(
    'MODEL_UNKNOWN',
    `No provider serves the model ${JSON.stringify(model)}. Served: ${known.join(', ')}.`,
    { field: 'model' },
  )
}

function lastResort({ inCooldown, lacksPrice }: Route): number {
  return Number(lacksPrice) * 2 + Number(inCooldown)
}

/** How many settings it would change. */
function changesOf({ match: { warnings } }: Route): number {
  return warnings.filter(({ code }) => code !== 'MODEL_RETIRING').length
}

/** How many calls it takes to make `n` images there. */
function callsFor(n: number, { offer }: Route): number {
  return Math.ceil(n / offer.capabilities.maxN)
}

/** Why no offer matches, by the closest one: the fewest things to correct. */
function refusalOf(matched: Route[]): GatewayError {
  const [closest] = matched.toSorted((a, b) => a.match.refusals.length - b.match.refusals.length)
  const [refusal] = closest!.match.refusals
  return new GatewayError(refusal!.code, refusal!.message, { field: refusal!.field })
}
