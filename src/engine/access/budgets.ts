// What projects and keys may spend. A budget is kept where money is held: see hold in db/spending.ts.
import type { Queries } from '../../db/connection/database.ts'
import { listBudgetsOf, listSpending, lockLedger, putBudget, removeBudget } from '../../db/money/spending.ts'
import { PERIODS, type Period } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { endOf } from '../../period.ts'
import type { Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { recordDecision } from './audit.ts'
import { getOwner } from './owner.ts'

/** What an owner may spend in the period under way, and what of it is gone. */
export interface Budget {
  owner: string
  period: Period
  /** Null where there is no budget. */
  limitMicros: number | null
  /** The most that what is under way could still cost. */
  heldMicros: number
  spentMicros: number
  /** Never below 0; null where there is no budget. */
  remainingMicros: number | null
  /** When the next period begins; null for TOTAL. */
  resetsAt: number | null
}

/** How an owner stands in each period at a moment, whether it has a budget for it or not: DAY, MONTH, TOTAL. */
export async function listBudgetStatus(q: Queries, owner: string, at: number): Promise<Budget[]> {
  const budgets = await listBudgetsOf(q, owner)
  const spending = await listSpending(q, owner, at)
  return PERIODS.map((period) => {
    const limitMicros = budgets.find((row) => row.period === period)?.limitMicros ?? null
    const row = spending.find((one) => one.period === period)
    const { heldMicros, spentMicros } = row ?? { heldMicros: 0, spentMicros: 0 }
    const remainingMicros = limitMicros === null ? null : Math.max(0, limitMicros - heldMicros - spentMicros)
    return { owner, period, limitMicros, heldMicros, spentMicros, remainingMicros, resetsAt: endOf(period, at) }
  })
}

/**
 * Sets what a project or a key may spend in each period of a kind, from now on; null takes the budget away. What is held
 * and spent already stays, and counts. On record. Throws BAD_USER_INPUT, FORBIDDEN and NOT_FOUND.
 */
export async function setBudget(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  by: Decider,
  id: string,
  period: Period,
  limitMicros: number | null,
): Promise<Budget> {
  if (limitMicros !== null && !(Number.isSafeInteger(limitMicros) && limitMicros >= 0))
    throw badInput(
      'limitMicros',
      `limitMicros is ${limitMicros}; it must be a whole number of micro-USD from 0, or null for no budget.`,
    )
  const at = clock.now()
  return db.tx(async (q) => {
    const { projectId } = await getOwner(q, by, id)
    // Nobody holds anything meanwhile by what was allowed before.
    await lockLedger(q, projectId)
    const before = (await listBudgetsOf(q, id)).find((row) => row.period === period)
    if (limitMicros === null) await removeBudget(q, id, period)
    else await putBudget(q, { owner: id, period, projectId, limitMicros, setAt: at })
    await recordDecision(q, by, {
      projectId,
      at,
      action: 'setBudget',
      subject: id,
      detail: { period, limitMicros: textOf(limitMicros), before: textOf(before?.limitMicros ?? null) },
    })
    return (await listBudgetStatus(q, id, at)).find((budget) => budget.period === period)!
  })
}

function textOf(micros: number | null): string | null {
  return micros === null ? null : `${micros}`
}
