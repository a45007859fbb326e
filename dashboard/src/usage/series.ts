// Rows of a report as stacked series over time. Amounts stay integers.
import type { UsageGroup } from '../api/generated.ts'
import type { Unit } from '../format/zone.ts'
import type { Measure, Split } from './usage-search.ts'

/** More series cannot be told apart; the others are one series. */
export const MAX_SERIES = 8

export interface Series {
  /** Value of the dimension. Null for rows without one. */
  value: string | null
  isOther: boolean
  /** Sum of its known values over all periods. Null if none is known. */
  total: number | null
}

export interface Segment {
  /** Index in `series`. */
  series: number
  value: number
  /** Sum of the segments below. */
  base: number
}

export interface Stack {
  start: number
  end: number
  segments: Segment[]
  total: number
  /** Held for attempts of unknown cost. 0 unless costs are shown. */
  held: number
  /** Attempts of unknown cost. */
  unknown: number
}

export interface Stacked {
  series: Series[]
  stacks: Stack[]
  /** The largest total, with what is held. */
  max: number
}

export function measureOf(
  row: Pick<UsageGroup, 'costMicros' | 'images' | 'tasks' | 'totalTokens'>,
  measure: Measure,
) {
  if (measure === 'cost') return row.costMicros
  if (measure === 'images') return row.images
  return measure === 'tasks' ? row.tasks : row.totalTokens
}

export function periodOf(row: UsageGroup, unit: Unit) {
  return unit === 'HOUR' ? row.hour : unit === 'DAY' ? row.day : row.month
}

const FIELDS: Readonly<Record<Split, keyof UsageGroup>> = {
  API_KEY: 'apiKeyId',
  METADATA: 'metadata',
  MODEL: 'model',
  OPERATION: 'operation',
  PROJECT: 'projectId',
  PROVIDER: 'provider',
  QUALITY: 'quality',
  SIZE: 'size',
  STATUS: 'status',
  USER: 'user',
}

export function splitValue(row: UsageGroup, split: Split): string | null {
  return row[FIELDS[split]] as string | null
}

/** `starts` are the starts of all periods of the range, so that one without a row is empty; `end` is that of the range. */
export function stackRows(
  rows: readonly UsageGroup[],
  {
    unit,
    split,
    measure,
    starts,
    end,
  }: { unit: Unit; split: Split; measure: Measure; starts: number[]; end: number },
): Stacked {
  const series = rank(rows, split, measure)
  const indexOf = new Map(series.flatMap((one, index) => (one.isOther ? [] : [[one.value, index] as const])))
  const other = series.findIndex(({ isOther }) => isOther)
  const stacks = starts.map((start, index): Stack => {
    return { start, end: starts[index + 1] ?? end, segments: [], total: 0, held: 0, unknown: 0 }
  })
  const byStart = new Map(stacks.map((stack) => [stack.start, stack]))
  const values = new Map(stacks.map((stack) => [stack, series.map(() => 0)]))
  for (const row of rows) {
    const stack = byStart.get(Date.parse(periodOf(row, unit)?.startsAt ?? ''))
    if (!stack) continue
    const sums = values.get(stack)!
    sums[indexOf.get(splitValue(row, split)) ?? other]! += measureOf(row, measure) ?? 0
    if (measure === 'cost') stack.held += row.heldMicros
    stack.unknown += row.attemptsWithUnknownCost
  }
  for (const stack of stacks) {
    for (const [index, value] of values.get(stack)!.entries()) {
      if (value > 0) stack.segments.push({ series: index, value, base: stack.total })
      stack.total += value
    }
  }
  return { series, stacks, max: Math.max(0, ...stacks.map(({ total, held }) => total + held)) }
}

function rank(rows: readonly UsageGroup[], split: Split, measure: Measure): Series[] {
  const totals = new Map<string | null, number | null>()
  for (const row of rows) {
    const value = splitValue(row, split)
    totals.set(value, addKnown(totals.get(value) ?? null, measureOf(row, measure)))
  }
  const ranked = [...totals]
    .map(([value, total]) => ({ value, total, isOther: false }))
    .toSorted((a, b) => (b.total ?? -1) - (a.total ?? -1) || String(a.value).localeCompare(String(b.value)))
  if (ranked.length <= MAX_SERIES) return ranked
  const rest = ranked.slice(MAX_SERIES)
  const total = rest.reduce<number | null>((sum, one) => addKnown(sum, one.total), null)
  return [...ranked.slice(0, MAX_SERIES), { value: null, isOther: true, total }]
}

/** Null only if neither is known. */
function addKnown(sum: number | null, value: number | null): number | null {
  return value === null ? sum : (sum ?? 0) + value
}
