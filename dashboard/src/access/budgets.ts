// Budgets in words, and which of them matters most.
import type { BudgetPeriod, BudgetState } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'

export const PERIODS: Readonly<Record<BudgetPeriod, { title: string; within: string }>> = {
  DAY: { title: 'Today', within: 'today' },
  MONTH: { title: 'This month', within: 'this month' },
  TOTAL: { title: 'All time', within: 'in all' },
}

/** Shares of a bar, 0 to 1. Spent amounts above the limit fill it. */
export function sharesOf({ limitMicros, spentMicros, heldMicros }: BudgetState): {
  spent: number
  held: number
} {
  if (limitMicros === null) return { spent: 0, held: 0 }
  if (limitMicros === 0) return { spent: 1, held: 0 }
  const spent = Math.min(1, Math.max(0, spentMicros) / limitMicros)
  return { spent, held: Math.min(1 - spent, heldMicros / limitMicros) }
}

/** The budget with the smallest share left. Undefined if no period has one. */
export function tightest(budgets: readonly BudgetState[]): BudgetState | undefined {
  return budgets
    .filter(({ limitMicros }) => limitMicros !== null)
    .toSorted((a, b) => shareLeft(a) - shareLeft(b))
    .at(0)
}

function shareLeft({ limitMicros, remainingMicros }: BudgetState): number {
  return limitMicros ? (remainingMicros ?? 0) / limitMicros : 0
}

/** `$3.20 of $10.00 today`. */
export function budgetText({ period, spentMicros, heldMicros, limitMicros }: BudgetState): string {
  const used = formatMoney(spentMicros + heldMicros)
  const { within } = PERIODS[period]
  return limitMicros === null ? `${used} ${within}` : `${used} of ${formatMoney(limitMicros)} ${within}`
}
