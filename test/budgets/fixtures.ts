// Providers with a fixed price, and the budgets of an owner.
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { Period } from '../../src/domain.ts'
import type { Decider } from '../../src/engine/access/access.ts'
import { listBudgetStatus, setBudget, type Budget } from '../../src/engine/access/budgets.ts'
import type { Offer, Provider } from '../../src/providers/provider.ts'
import type { TestEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, scripted, type Scripted } from '../support/scripted.ts'

/** The price of one image. */
export const PRICE_MICROS = 1_000

export const OPERATOR: Decider = { name: 'operator', projectId: null }

/** An offer with a fixed price per image. */
export function pricedOffer(imageMicros = PRICE_MICROS): Offer {
  return offer({ maxPromptLength: 1_000 }, { price: { imageMicros, bySettings: [], version: 'of a test' } })
}

/** A provider that charges PRICE_MICROS per image. */
export function pricedProvider(
  script: Parameters<typeof scripted>[0] = (sent) => done(sent),
  more: Partial<Omit<Provider, 'submit'>> = {},
): Scripted {
  return scripted(script, { offers: [pricedOffer()], ...more })
}

export function setLimit(
  one: TestEngine,
  limitMicros: number | null,
  period: Period = 'TOTAL',
  owner = DEFAULT_PROJECT,
): Promise<Budget> {
  return setBudget(one.deps, OPERATOR, owner, period, limitMicros)
}

/** The held and the spent amount by period, in micro-USD. */
export async function budgetTotals(one: TestEngine, owner = DEFAULT_PROJECT) {
  const budgets = await listBudgetStatus(one.db.read, owner, one.deps.clock.now())
  return Object.fromEntries(
    budgets.map(({ period, heldMicros, spentMicros }) => [period, [heldMicros, spentMicros]]),
  ) as Record<Period, [number, number]>
}

/** Waits until every task has succeeded. */
export async function waitForSuccess(one: TestEngine, ids: readonly string[]): Promise<void> {
  for (const id of ids) await one.reached(id, 'SUCCEEDED')
}
