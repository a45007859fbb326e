import type { Caller, Warning } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import type { Offer } from '../../providers/provider.ts'
import { splitIntoParts } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import type { CapabilityRefusal } from '../routing/match.ts'
import { rankOffers, readConditions } from '../routing/route.ts'
import { priceVersionOf, worstCaseMicros, type PricedRequest } from '../usage/cost.ts'
import { expectedMicros } from '../usage/expected-cost.ts'
import { checkInput, MAX_IMAGES, ONE_GUIDE, type TaskInput } from './input.ts'

/** Of an input without its files. */
export interface QuotedInput extends Omit<
  TaskInput,
  'images' | 'mask' | 'markup' | 'idempotencyKey' | 'callbackUrl' | 'metadata'
> {
  imageCount: number
  mask: boolean
  markup: boolean
}

export interface QuotedOffer {
  provider: string
  model: string
  /** Null without a price. */
  expectedMicros: number | null
  /** The hold; null without a price. */
  maxMicros: number | null
  priceVersion: string | null
  warnings: Warning[]
  inCooldown: boolean
}

export interface QuoteRefusal extends CapabilityRefusal {
  provider: string
}

export interface Quote {
  /** Best first: a task goes to the first. */
  offers: QuotedOffer[]
  /** All reasons of each provider. */
  refusals: QuoteRefusal[]
}

/** Stores, sends and costs nothing. Throws BAD_USER_INPUT, PROVIDER_UNKNOWN, MODEL_UNKNOWN. */
export async function quote(
  deps: Pick<Deps, 'db' | 'providers' | 'clock' | 'inputRule' | 'webhookRule'>,
  by: Caller,
  { imageCount, mask, markup, ...settings }: QuotedInput,
): Promise<Quote> {
  if (!Number.isInteger(imageCount) || imageCount < 0 || imageCount > MAX_IMAGES)
    throw badInput(
      'imageCount',
      `imageCount is ${imageCount}; it must be a whole number from 0 to ${MAX_IMAGES}.`,
    )
  for (const [field, given] of Object.entries({ mask, markup }))
    if (given && imageCount === 0)
      throw badInput(field, `${field} needs an image to apply to. Raise imageCount.`)
  if (mask && markup) throw badInput('markup', ONE_GUIDE)
  const files = {
    images: [],
    mask: null,
    markup: null,
    metadata: [],
    idempotencyKey: null,
    callbackUrl: null,
  }
  const checked = checkInput({ ...settings, ...files }, deps)
  const request = {
    ...checked,
    operation: imageCount > 0 ? ('EDIT' as const) : ('GENERATE' as const),
    images: { length: imageCount },
    mask: mask ? {} : null,
    markup: markup ? {} : null,
  }
  const conditions = await readConditions(deps.db.read, deps, by, request)
  const { able, unable } = rankOffers(request, deps.providers, conditions)
  return {
    offers: able.map(({ provider, offer, match, inCooldown }) => ({
      provider: provider.name,
      model: offer.model,
      ...amountsOf(request, offer, match.maxN),
      priceVersion: priceVersionOf(request, offer),
      warnings: match.warnings,
      inCooldown,
    })),
    refusals: unable.flatMap(({ provider, match }) =>
      match.refusals.map((refusal) => ({ ...refusal, provider: provider.name })),
    ),
  }
}

function amountsOf(
  request: PricedRequest,
  offer: Offer,
  maxN: number,
): Pick<QuotedOffer, 'expectedMicros' | 'maxMicros'> {
  const parts = splitIntoParts(request.n, maxN)
  const sum = (of: (n: number) => number | null) =>
    parts.reduce<number | null>((total, { n }) => {
      const micros = of(n)
      return total === null || micros === null ? null : total + micros
    }, 0)
  return {
    expectedMicros: sum((n) => expectedMicros(request, offer, n)),
    maxMicros: sum((n) => worstCaseMicros(request, offer, n)),
  }
}
