// What tests of money work with: a provider of one price, and how an owner stands.
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { Period } from '../../src/domain.ts'
import type { Decider } from '../../src/engine/access/access.ts'
import { listBudgetStatus, setBudget, type Budget } from '../../src/engine/access/budgets.ts'
import type { Offer, Provider } from '../../src/providers/provider.ts'
import type { TestEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, scripted, type Scripted } from '../support/scripted.ts'

/** Of one picture, in micro-USD. */
export const PRICE = 1_000

export const OPERATOR: Decider = { name: 'operator', projectId: null }

/** An offer of one price for each picture. */
export function priced(imageMicros = PRICE): Offer {
  return offer({ maxPromptLength: 1_000 }, { price: { imageMicros, bySettings: [], version: 'of a test' } })
}

/** A provider that takes PRICE for each picture. */
export function shop(
  script: Parameters<typeof scripted>[0] = (sent) => done(sent),
  more: Partial<Omit<Provider, 'submit'>> = {},
): Scripted {
  return scripted(script, { offers: [priced()], ...more })
}

export function allow(
  one: TestEngine,
  limitMicros: number | null,
  period: Period = 'TOTAL',
  owner = DEFAULT_PROJECT,
): Promise<Budget> {
  return setBudget(one.deps, OPERATOR, owner, period, limitMicros)
}

/** Held and spent, by period. */
export async function standing(one: TestEngine, owner = DEFAULT_PROJECT) {
  const budgets = await listBudgetStatus(one.db.read, owner, one.deps.clock.now())
  return Object.fromEntries(
    budgets.map(({ period, heldMicros, spentMicros }) => [period, [heldMicros, spentMicros]]),
  ) as Record<Period, [number, number]>
}

/** Waits until so many tasks have ended. */
export async function allEnded(one: TestEngine, ids: readonly string[]): Promise<void> {
  for (const id of ids) await one.reached(id, 'SUCCEEDED')
}
