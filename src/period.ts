// Calendar periods of UTC: what budgets are for, and what usage is counted by.
import type { Period } from './domain.ts'

const DAY_MS = 86_400_000
const QUARTER_MS = 900_000

/** The first moment of the period that `at` lies in; 0 for TOTAL. */
export function startOf(period: Period, at: number): number {
  if (period === 'TOTAL') return 0
  if (period === 'DAY') return startOfDay(at)
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

/** The first moment of a day of UTC. */
export function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS
}

/** The first moment of a quarter of an hour. */
export function startOfQuarter(at: number): number {
  return Math.floor(at / QUARTER_MS) * QUARTER_MS
}

/** The first moment after the period that `at` lies in; null for TOTAL, which has none. */
export function endOf(period: Period, at: number): number | null {
  if (period === 'TOTAL') return null
  if (period === 'DAY') return startOfDay(at) + DAY_MS
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}
