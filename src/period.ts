import type { Period } from './domain.ts'

const DAY_MS = 86_400_000
export const QUARTER_HOUR_MS = 900_000

/** In UTC; 0 for TOTAL. */
export function startOf(period: Period, at: number): number {
  if (period === 'TOTAL') return 0
  if (period === 'DAY') return startOfDay(at)
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

export function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS
}

export function startOfQuarterHour(at: number): number {
  return Math.floor(at / QUARTER_HOUR_MS) * QUARTER_HOUR_MS
}

/** Exclusive; null for TOTAL. */
export function endOf(period: Period, at: number): number | null {
  if (period === 'TOTAL') return null
  if (period === 'DAY') return startOfDay(at) + DAY_MS
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}
