import type { Queries } from '../../db/connection/database.ts'
import { listBudgetsOn } from '../../db/money/spending.ts'
import type { Caller } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { findResting } from './health.ts'
import { todayOf, type Now } from './route.ts'

/** What routing needs to know of the moment, for whoever is to pay. */
export async function routingNow(q: Queries, deps: Deps, by: Caller): Promise<Now> {
  const resting = await findResting(q)
  // Only where a price is missing at all does it matter.
  const allPriced = deps.providers.every(({ offers }) => offers.every(({ price }) => price !== null))
  const needsPrice = !allPriced && (await listBudgetsOn(q, by)).length > 0
  return { today: todayOf(deps), resting, needsPrice }
}
