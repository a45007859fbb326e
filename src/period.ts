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

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `7d` in milliseconds. Undefined for anything but 1 to 99999 hours, days or weeks. */
export function parseDuration(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? []
  const unitMs = UNITS_MS[unit]
  return unitMs === undefined ? undefined : Number(count) * unitMs
}
