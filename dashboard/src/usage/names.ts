// Values of dimensions and measures as texts.
import type { Measures, TaskStatus } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { statusText } from '../ui/status.tsx'
import type { Series } from './series.ts'
import type { Measure, Range, Split } from './usage-search.ts'

export const SPLIT_TEXTS: Readonly<Record<Split, string>> = {
  MODEL: 'Model',
  PROVIDER: 'Provider',
  API_KEY: 'API key',
  PROJECT: 'Project',
  USER: 'End user',
  OPERATION: 'Operation',
  QUALITY: 'Quality',
  SIZE: 'Size',
  STATUS: 'Status',
  METADATA: 'Label',
}

export const MEASURE_TEXTS: Readonly<Record<Measure, string>> = {
  cost: 'Cost',
  images: 'Images',
  tasks: 'Tasks',
  tokens: 'Tokens',
}

export const RANGE_TEXTS: Readonly<Record<Range, string>> = {
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  month: 'Month',
  '12m': '12 months',
}

/** What attempts of unknown cost hold. Null if they have no price, so that nothing is held for them. */
export function heldOf({ heldMicros, attemptsWithUnknownCost }: Measures): number | null {
  return heldMicros === 0 && attemptsWithUnknownCost > 0 ? null : heldMicros
}

/** Null is `unknown`. */
export function formatCount(count: number | null): string {
  return count === null ? 'unknown' : count.toLocaleString('en')
}

export function formatMeasure(value: number | null, measure: Measure): string {
  return measure === 'cost' ? formatMoney(value) : formatCount(value)
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function formatTick(value: number, measure: Measure): string {
  return measure === 'cost' ? formatMoney(value) : COMPACT.format(value)
}

/** `names`: of keys and projects by id. */
export function valueText(value: string | null, split: Split, names: ReadonlyMap<string, string>): string {
  if (value === null) return split === 'API_KEY' ? 'without a key' : 'none'
  if (split === 'STATUS') return statusText(value as TaskStatus)
  if (split === 'OPERATION' || split === 'QUALITY') return value.toLowerCase()
  return names.get(value) ?? value
}

export function seriesText(series: Series, split: Split, names: ReadonlyMap<string, string>): string {
  return series.isOther ? 'other' : valueText(series.value, split, names)
}
