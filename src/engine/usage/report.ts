import type { Queries } from '../../db/connection/database.ts'
import { USAGE_COUNTS, type UsageCounts } from '../../db/money/usage.ts'
import {
  sumAttempts,
  sumDays,
  sumQuarterHours,
  type UsageSlice,
  type UsageSum,
} from '../../db/money/usage-report.ts'
import { startOfDay } from '../../period.ts'
import { lengthOf, listPieces, unitOf, type Piece } from './slices.ts'
import {
  checkUsageQuery,
  isTime,
  KEY_OF,
  MAX_ROWS,
  tooManyRows,
  type UsageDimension,
  type UsageQuery,
} from './query.ts'
import { DAY_MS, HOUR_MS, periodOf, type CalendarPeriod, type Zone } from './time-zone.ts'

/** Excludes unreported values; `unknownCosts` and `unknownUsages` count their attempts. */
export type UsageTotals = UsageCounts

/** For sums of tokens: 0 means that none was reported. */
export function nullIfZero(count: number): number | null {
  return count === 0 ? null : count
}

/** Null for possible charges without a known cost. */
export function knownCost({ costMicros, unknownCosts, estimatedCosts }: UsageTotals): number | null {
  return costMicros === 0 && unknownCosts + estimatedCosts > 0 ? null : costMicros
}

type Periods = Partial<Record<'hour' | 'day' | 'month', CalendarPeriod>>

/** Sets the dimensions of `groupBy`; null: attempts have no such key. */
export interface UsageRow extends Periods {
  keys: UsageSum['keys']
  counts: UsageTotals
}

export interface UsageReport {
  from: number
  /** Default: now. */
  to: number
  timeZone: string
  /** By `groupBy`; empty without it. */
  rows: UsageRow[]
  totals: UsageTotals
}

/** An attempt counts when it was queued, even if its cost becomes known later. Throws BAD_USER_INPUT. */
export async function reportUsage(q: Queries, query: UsageQuery, now: number): Promise<UsageReport> {
  const zone = checkUsageQuery(query)
  const { from, timeZone, groupBy } = query
  // Other hosts' clocks may be ahead.
  const end = query.to ?? Math.max(startOfDay(now) + 2 * DAY_MS, from + 1)
  const groups = new Map<string, UsageRow>()
  const periodsAt = memoize((at: number) => periodsOf(zone, groupBy, at))
  const totals = noUsage()
  for (const piece of listPieces(query, zone, from, end)) {
    for await (const sums of readPiece(q, query, piece)) {
      for (const [nth, sum] of sums.entries()) {
        if (nth % SUMS_PER_TURN === 0) await nextTurn()
        add(totals, sum.counts)
        if (groupBy.length > 0) addToGroup(groups, periodsAt(momentIn(piece, sum)), sum)
      }
      if (groups.size > MAX_ROWS) throw tooManyRows(query)
    }
  }
  return { from, to: query.to ?? now, timeZone, rows: sort([...groups.values()], query), totals }
}

function noUsage(): UsageTotals {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each count
  return Object.fromEntries(USAGE_COUNTS.map((count) => [count, 0])) as UsageTotals
}

function add(sum: UsageTotals, counts: UsageCounts): void {
  for (const count of USAGE_COUNTS) sum[count] += counts[count]
}

async function* readPiece(q: Queries, query: UsageQuery, piece: Piece): AsyncGenerator<UsageSum[]> {
  const { projectId, metadataKey, filter, groupBy } = query
  const { source, from, to, offsetMs } = piece
  const unit = unitOf(query)
  const slice: UsageSlice = {
    projectId,
    metadataKey,
    filter,
    from,
    to,
    by: groupBy.flatMap((dimension) => (isTime(dimension) ? [] : [KEY_OF[dimension]])),
    bucket: unit ? { offsetMs, lengthMs: lengthOf(unit) } : null,
    // A month has up to 31 buckets.
    limit: (MAX_ROWS + 1) * (unit === 'MONTH' ? 31 : 1),
  }
  for await (const sums of SOURCES[source](q, slice)) {
    // There may be more.
    if (sums.length === slice.limit) throw tooManyRows(query)
    yield sums
  }
}

const SOURCES: Record<
  Piece['source'],
  (q: Queries, slice: UsageSlice) => AsyncIterable<UsageSum[]> | Iterable<Promise<UsageSum[]>>
> = {
  DAYS: (q, slice) => [sumDays(q, slice)],
  QUARTER_HOURS: (q, slice) => [sumQuarterHours(q, slice)],
  ATTEMPTS: readAttempts,
}

/** A few milliseconds. */
const SUMS_PER_TURN = 1_000

/** Lets the event loop continue. */
function nextTurn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume))
}

/** Other reports wait meanwhile. */
const ATTEMPTS_PER_QUERY = 50_000

/** Ranges adapt to the density. Attempts keep their time: each counts once. */
async function* readAttempts(q: Queries, slice: UsageSlice): AsyncGenerator<UsageSum[]> {
  let rangeMs = HOUR_MS
  for (let from = slice.from; from < slice.to;) {
    const to = Math.min(from + rangeMs, slice.to)
    const sums = await sumAttempts(q, { ...slice, from, to })
    yield sums
    from = to
    const attempts = sums.reduce((sum, { counts }) => sum + counts.attempts, 0)
    if (attempts > ATTEMPTS_PER_QUERY) rangeMs = Math.max(1000, Math.floor(rangeMs / 2))
    else if (attempts < ATTEMPTS_PER_QUERY / 4) rangeMs *= 2
    await nextTurn()
  }
}

function momentIn({ from, offsetMs }: Piece, { local }: UsageSum): number {
  return local === null ? from : Math.max(from, local - offsetMs)
}

function periodsOf(zone: Zone, groupBy: readonly UsageDimension[], at: number): Periods {
  const units = groupBy.filter(isTime)
  return Object.fromEntries(units.map((unit) => [PERIOD_OF[unit], periodOf(zone, unit, at)]))
}

function memoize<T>(compute: (at: number) => T): (at: number) => T {
  const known = new Map<number, T>()
  return (at) => {
    const value = known.get(at) ?? compute(at)
    known.set(at, value)
    return value
  }
}

function addToGroup(groups: Map<string, UsageRow>, periods: Periods, { keys, counts }: UsageSum): void {
  const starts = Object.values(periods).map(({ startsAt }) => startsAt)
  const key = JSON.stringify([starts, Object.values(keys)])
  const known = groups.get(key)
  if (known) add(known.counts, counts)
  else groups.set(key, { ...periods, keys, counts: { ...counts } })
}

const PERIOD_OF = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const

/** Rows without a key come last. */
function sort(rows: UsageRow[], { groupBy }: UsageQuery): UsageRow[] {
  return rows.toSorted((a, b) => {
    for (const dimension of groupBy) {
      const [left, right] = [sortKeyOf(a, dimension), sortKeyOf(b, dimension)]
      if (left === right) continue
      if (left === null || right === null) return left === null ? 1 : -1
      return left < right ? -1 : 1
    }
    return 0
  })
}

function sortKeyOf(row: UsageRow, dimension: UsageDimension): number | string | null {
  if (isTime(dimension)) return row[PERIOD_OF[dimension]]?.startsAt ?? null
  return row.keys[KEY_OF[dimension]] ?? null
}
