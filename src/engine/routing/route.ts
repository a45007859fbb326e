import type { Clock } from '../../clock.ts'
import type { Queries } from '../../db/connection/database.ts'
import { listBudgetsOn } from '../../db/money/spending.ts'
import type { Caller } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Offer, Provider } from '../../providers/provider.ts'
import { isPriced } from '../../providers/models/svg-price.ts'
import type { Deps } from '../deps.ts'
import { getProvider } from './configured.ts'
import { readInCooldown } from './health.ts'
import { matchCapabilities, type CapabilityMatch, type RoutingRequest } from './match.ts'

export interface Route {
  provider: Provider
  offer: Offer
  match: CapabilityMatch
  inCooldown: boolean
  /** A budget applies without a price: planning is refused. */
  lacksPrice: boolean
}

export interface RoutingConditions {
  /** An ISO date. */
  today: string
  inCooldown: (provider: string, model: string) => boolean
  /** A budget applies. */
  needsPrice: boolean
}

/** Best first. Throws as `routes`. */
export async function findRoutes(
  q: Queries,
  deps: Pick<Deps, 'providers' | 'clock'>,
  by: Caller,
  request: RoutingRequest,
): Promise<Route[]> {
  return routes(request, deps.providers, await readConditions(q, deps, by, request))
}

export async function readConditions(
  q: Queries,
  { providers, clock }: Pick<Deps, 'providers' | 'clock'>,
  by: Caller,
  request: RoutingRequest,
): Promise<RoutingConditions> {
  const inCooldown = await readInCooldown(q)
  // Budgets matter only without a price.
  const allPriced = providers.every(({ offers }) => offers.every((offer) => isPriced(request, offer)))
  const needsPrice = !allPriced && (await listBudgetsOn(q, by)).length > 0
  return { today: todayOf(clock), inCooldown, needsPrice }
}

export function todayOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().slice(0, 10)
}

/**
 * Pure. Best first: in the client's order when it named providers; else those that honor every setting, then those
 * that need fewer calls, then the operator's order. Providers in cooldown come last, and after them those without a
 * required price. Throws PROVIDER_UNKNOWN, MODEL_UNKNOWN, or why the closest offer does not match.
 */
export function routes(
  request: RoutingRequest,
  providers: readonly Provider[],
  conditions: RoutingConditions,
): Route[] {
  const { able, unable } = rankOffers(request, providers, conditions)
  if (able.length === 0)
    throw refusalOf(unable, request, modelsOfFormat(request, providers, conditions.today))
  return able
}

/** Pure. As `routes`, with offers that cannot serve the request. Throws PROVIDER_UNKNOWN and MODEL_UNKNOWN. */
export function rankOffers(
  request: RoutingRequest,
  providers: readonly Provider[],
  { today, inCooldown, needsPrice }: RoutingConditions,
): { able: Route[]; unable: Route[] } {
  const allowed = request.providers?.map((name, i) => getProvider(providers, name, `providers.${i}`))
  const offering = offersOf(request.model, allowed ?? providers)
  const matched = offering.map(({ provider, offer }) => ({
    provider,
    offer,
    match: matchCapabilities(request, offer, today),
    inCooldown: inCooldown(provider.name, offer.model),
    lacksPrice: needsPrice && !isPriced(request, offer),
  }))
  const able = matched.filter(({ match }) => match.refusals.length === 0)
  const unable = matched.filter(({ match }) => match.refusals.length > 0)
  const preference = allowed
    ? () => 0
    : (a: Route, b: Route) =>
        countChanges(a) - countChanges(b) || countCalls(request.n, a) - countCalls(request.n, b)
  return { able: able.toSorted((a, b) => rankOf(a) - rankOf(b) || preference(a, b)), unable }
}

/** Throws MODEL_UNKNOWN. */
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

function rankOf({ inCooldown, lacksPrice }: Route): number {
  return Number(lacksPrice) * 2 + Number(inCooldown)
}

function countChanges({ match: { warnings } }: Route): number {
  return warnings.filter(({ code }) => code !== 'MODEL_RETIRING').length
}

function countCalls(n: number, { match }: Route): number {
  return Math.ceil(n / match.maxN)
}

/** Of allowed providers, in the format of the request. */
function modelsOfFormat(
  { outputFormat, providers: allowed }: RoutingRequest,
  providers: readonly Provider[],
  today: string,
): string[] {
  const own = providers.filter(({ name }) => allowed?.includes(name) ?? true)
  const able = own
    .flatMap(({ offers }) => offers)
    .filter(
      ({ capabilities, retiresOn, endsElsewhere }) =>
        capabilities.outputFormats.includes(outputFormat) &&
        (retiresOn === null || retiresOn >= today || endsElsewhere),
    )
  return [...new Set(able.map(({ model }) => model))]
}

/** The closest offer has the fewest refusals. */
function refusalOf(matched: Route[], { outputFormat }: RoutingRequest, models: string[]): GatewayError {
  const [closest] = matched.toSorted((a, b) => a.match.refusals.length - b.match.refusals.length)
  const { code, message, field } = closest!.match.refusals[0]!
  if (field !== 'outputFormat') return new GatewayError(code, message, { field })
  const names = models.length === 0 ? 'none' : models.join(', ')
  return new GatewayError(code, `${message} Models that make ${outputFormat}: ${names}.`, { field })
}
