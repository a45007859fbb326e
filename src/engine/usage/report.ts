// A usage report: sums of attempts, each counted at the moment it was put into the queue.
import type { Queries } from '../../db/connection/database.ts'
import { USAGE_COUNTS, type UsageCounts } from '../../db/money/usage.ts'
import { sumAttempts, sumDays, sumQuarterHours, type UsageSlice, type UsageSum } from '../../db/money/usage-report.ts'
import { startOfDay } from '../../period.ts'
import { isTime, lengthOf, listPieces, unitOf, type Piece } from './slices.ts'
import {
  checkUsageQuery,
  KEY_OF,
  MAX_ROWS,
  tooManyRows,
  type UsageDimension,
  type UsageQuery,
} from './query.ts'
import { DAY_MS, HOUR_MS, periodOf, type CalendarPeriod, type Zone } from './time-zone.ts'

/** The sums of some attempts. What nobody told is in none of them; `unknownCosts` and `unknownUsages` say of how many. */
export type UsageTotals = UsageCounts

/** A sum of tokens; null for 0, because tokens that were not reported are excluded from sums. */
export function nullIfZero(tokens: number): number | null {
  return tokens === 0 ? null : tokens
}

/** The known cost; null when a charge is certain or possible and no cost at all is known. */
export function knownCost({ costMicros, unknownCosts }: UsageTotals): number | null {
  return costMicros === 0 && unknownCosts > 0 ? null : costMicros
}

type Periods = Partial<Record<'hour' | 'day' | 'month', CalendarPeriod>>

/** The sums of one group. Of its keys only those are there that were grouped by; null for attempts that have none. */
export interface UsageRow extends Periods {
  keys: UsageSum['keys']
  counts: UsageTotals
}

export interface UsageReport {
  from: number
  /** The moment it was read at, where nothing else was asked for. */
  to: number
  timeZone: string
  /** In the order of `groupBy`, and empty without it. */
  rows: UsageRow[]
  totals: UsageTotals
}

/**
 * Answers a question about usage as of `now`. Throws BAD_USER_INPUT for what cannot be answered, and for a report that
 * would be too long to be read.
 */
export async function reportUsage(q: Queries, query: UsageQuery, now: number): Promise<UsageReport> {
  const zone = checkUsageQuery(query)
  const { from, timeZone, groupBy } = query
  // Beyond now, so that what other machines count a moment ahead of this clock is there too.
  const end = query.to ?? Math.max(startOfDay(now) + 2 * DAY_MS, from + 1)
  const groups = new Map<string, UsageRow>()
  const periodsAt = remembered((at: number) => periodsOf(zone, groupBy, at))
  const totals = nothing()
  for (const piece of listPieces(query, zone, from, end)) {
    for await (const sums of read(q, query, piece)) {
      for (const sum of sums) {
        add(totals, sum.counts)
        if (groupBy.length > 0) put(groups, periodsAt(momentIn(piece, sum)), sum)
      }
      if (groups.size > MAX_ROWS) throw tooManyRows(query)
    }
  }
  return { from, to: query.to ?? now, timeZone, rows: inOrder([...groups.values()], query), totals }
}

function nothing(): UsageTotals {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each count
  return Object.fromEntries(USAGE_COUNTS.map((count) => [count, 0])) as UsageTotals
}

function add(sum: UsageTotals, counts: UsageCounts): void {
  for (const count of USAGE_COUNTS) sum[count] += counts[count]
}

async function* read(q: Queries, query: UsageQuery, piece: Piece): AsyncGenerator<UsageSum[]> {
  const { projectId, metadataKey, filter, groupBy } = query
  const unit = unitOf(query)
  const slice: UsageSlice = {
    projectId,
    metadataKey,
    filter,
    from: piece.from,
    to: piece.to,
    by: groupBy.flatMap((dimension) => (isTime(dimension) ? [] : [KEY_OF[dimension]])),
    bucket: unit ? { offsetMs: piece.offsetMs, lengthMs: lengthOf(unit) } : null,
    // One more says that there are too many; a month is up to 31 of them.
    limit: (MAX_ROWS + 1) * (unit === 'MONTH' ? 31 : 1),
  }
  for await (const sums of readSlice(q, piece, slice)) {
    // There may be more, which nobody would count.
    if (sums.length === slice.limit) throw tooManyRows(query)
    yield sums
  }
}

async function* readSlice(q: Queries, { source }: Piece, slice: UsageSlice): AsyncGenerator<UsageSum[]> {
  if (source === 'DAYS') yield await sumDays(q, slice)
  else if (source === 'QUARTERS') yield await sumQuarterHours(q, slice)
  else yield* readAttempts(q, slice)
}

/** About as many as are read at a time: SQLite lets nobody else do anything meanwhile. */
const ATTEMPTS_AT_A_TIME = 10_000

/** Reads attempts a while at a time, short where there are many. Each is counted once: none changes its place in time. */
async function* readAttempts(q: Queries, slice: UsageSlice): AsyncGenerator<UsageSum[]> {
  let whileMs = HOUR_MS
  for (let from = slice.from; from < slice.to;) {
    const to = Math.min(from + whileMs, slice.to)
    const sums = await sumAttempts(q, { ...slice, from, to })
    yield sums
    from = to
    const attempts = sums.reduce((sum, { counts }) => sum + counts.attempts, 0)
    if (attempts > ATTEMPTS_AT_A_TIME) whileMs = Math.max(1000, Math.floor(whileMs / 2))
    else if (attempts < ATTEMPTS_AT_A_TIME / 4) whileMs *= 2
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A moment of the piece that a sum is of. */
function momentIn({ from, offsetMs }: Piece, { local }: UsageSum): number {
  return local === null ? from : Math.max(from, local - offsetMs)
}

function periodsOf(zone: Zone, groupBy: readonly UsageDimension[], at: number): Periods {
  const units = groupBy.filter(isTime)
  return Object.fromEntries(units.map((unit) => [PERIOD_OF[unit], periodOf(zone, unit, at)]))
}

/** The same answers, each worked out once. */
function remembered<T>(answer: (at: number) => T): (at: number) => T {
  const known = new Map<number, T>()
  return (at) => {
    const value = known.get(at) ?? answer(at)
    known.set(at, value)
    return value
  }
}

function put(groups: Map<string, UsageRow>, periods: Periods, { keys, counts }: UsageSum): void {
  const starts = Object.values(periods).map(({ startsAt }) => startsAt)
  const key = JSON.stringify([starts, Object.values(keys)])
  const known = groups.get(key)
  if (known) add(known.counts, counts)
  else groups.set(key, { ...periods, keys, counts: { ...counts } })
}

const PERIOD_OF = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const

function inOrder(rows: UsageRow[], { groupBy }: UsageQuery): UsageRow[] {
  return rows.toSorted((a, b) => {
    for (const dimension of groupBy) {
      const [left, right] = [placeOf(a, dimension), placeOf(b, dimension)]
      if (left === right) continue
      if (left === null || right === null) return left === null ? 1 : -1
      return left < right ? -1 : 1
    }
    return 0
  })
}

/** What a row is sorted by; null, for attempts without such a key, comes last. */
function placeOf(row: UsageRow, dimension: UsageQuery['groupBy'][number]): number | string | null {
  if (isTime(dimension)) return row[PERIOD_OF[dimension]]?.startsAt ?? null
  return row.keys[KEY_OF[dimension]] ?? null
}
