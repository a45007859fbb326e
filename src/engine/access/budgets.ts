// Enforced by `hold` in db/money/spending.ts.
import type { Queries } from '../../db/connection/database.ts'
import { listBudgetsOf, listSpending, lockLedger, putBudget, removeBudget } from '../../db/money/spending.ts'
import { PERIODS, type Period } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { endOf } from '../../period.ts'
import { getOwner, recordDecision, type Decider } from './access.ts'
import type { Deps } from '../deps.ts'

export interface Budget {
  owner: string
  period: Period
  /** Null without a budget. */
  limitMicros: number | null
  /** For attempts of unknown cost. */
  heldMicros: number
  spentMicros: number
  /** Never below 0; null without a budget. */
  remainingMicros: number | null
  /** Start of the next period; null for TOTAL. */
  resetsAt: number | null
}

/** DAY, MONTH and TOTAL, with or without a budget. */
export async function listBudgetStatus(q: Queries, owner: string, at: number): Promise<Budget[]> {
  const budgets = await listBudgetsOf(q, owner)
  const spending = await listSpending(q, owner, at)
  return PERIODS.map((period) => {
    const limitMicros = budgets.find((row) => row.period === period)?.limitMicros ?? null
    const row = spending.find((one) => one.period === period)
    const { heldMicros, spentMicros } = row ?? { heldMicros: 0, spentMicros: 0 }
    const remainingMicros = limitMicros === null ? null : Math.max(0, limitMicros - heldMicros - spentMicros)
    return {
      owner,
      period,
      limitMicros,
      heldMicros,
      spentMicros,
      remainingMicros,
      resetsAt: endOf(period, at),
    }
  })
}

/** Null removes it. Amounts of the current period count. Throws BAD_USER_INPUT, FORBIDDEN and NOT_FOUND. */
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
    // No hold may use the old one.
    await lockLedger(q, projectId)
    const previous = (await listBudgetsOf(q, id)).find((row) => row.period === period)
    if (limitMicros === null) await removeBudget(q, id, period)
    else await putBudget(q, { owner: id, period, projectId, limitMicros, setAt: at })
    const detail = { period, limitMicros: toText(limitMicros), before: toText(previous?.limitMicros ?? null) }
    await recordDecision(q, by, { projectId, at, action: 'setBudget', subject: id, detail })
    return (await listBudgetStatus(q, id, at)).find((budget) => budget.period === period)!
  })
}

function toText(micros: number | null): string | null {
  return micros === null ? null : `${micros}`
}
