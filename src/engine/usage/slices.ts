// Which counts a report reads for which time: days where whole days will do, quarters of an hour elsewhere, and the
// attempts themselves for what begins or ends within a quarter, or asks for more than is counted.
import { startOfDay, startOfQuarterHour } from '../../period.ts'
import { ROLLUP_KEYS } from '../../db/money/usage-report.ts'
import { KEY_OF, UNITS, type UsageQuery } from './query.ts'
import { DAY_MS, HOUR_MS, listOffsets, type OffsetRange, type Unit, type Zone } from './time-zone.ts'

export type Source = 'DAYS' | 'QUARTERS' | 'ATTEMPTS'

/** A range of time that is read from one source. */
export interface Piece extends OffsetRange {
  source: Source
}

/** The finest time that a query groups by; undefined without any. */
export function unitOf({ groupBy }: Pick<UsageQuery, 'groupBy'>): Unit | undefined {
  return UNITS.find((unit) => groupBy.includes(unit))
}

/** How long the pieces are that a unit is summed up in: months are put together of days. */
export function lengthOf(unit: Unit): number {
  return unit === 'HOUR' ? HOUR_MS : DAY_MS
}

/** The pieces of `from` to `to`, in order. */
export function listPieces(query: UsageQuery, zone: Zone, from: number, to: number): Piece[] {
  const unit = unitOf(query)
  // Without times in it, a report is the same in every zone.
  const ranges = unit ? listOffsets(zone, from, to) : [{ from, to, offsetMs: 0 }]
  return ranges.flatMap((range) => {
    if (asksForMore(query)) return [{ ...range, source: 'ATTEMPTS' as const }]
    return cut(range, unit !== 'HOUR' && range.offsetMs === 0)
  })
}

const COUNTED: ReadonlySet<string> = new Set([...ROLLUP_KEYS, 'models', 'providers', 'apiKeyIds'])

/** Whether it asks for what only attempts and their tasks tell. */
function asksForMore({ groupBy, filter }: UsageQuery): boolean {
  const keys = groupBy.flatMap((dimension) => (isTime(dimension) ? [] : [KEY_OF[dimension]]))
  return [...keys, ...Object.keys(filter)].some((name) => !COUNTED.has(name))
}

/** Narrows a dimension to those that are a time. */
export function isTime(dimension: UsageQuery['groupBy'][number]): dimension is Unit {
  return dimension === 'HOUR' || dimension === 'DAY' || dimension === 'MONTH'
}

function cut({ from, to, offsetMs }: OffsetRange, hasDays: boolean): Piece[] {
  const [firstQuarter, endOfQuarters] = wholeUnits(from, to, QUARTER_MS, startOfQuarterHour) ?? [to, to]
  const days = hasDays ? wholeUnits(from, to, DAY_MS, startOfDay) : undefined
  const [firstDay, endOfDays] = days ?? [endOfQuarters, endOfQuarters]
  const pieces: [Source, from: number, to: number][] = [
    ['ATTEMPTS', from, firstQuarter],
    ['QUARTERS', firstQuarter, firstDay],
    ['DAYS', firstDay, endOfDays],
    ['QUARTERS', endOfDays, endOfQuarters],
    ['ATTEMPTS', endOfQuarters, to],
  ]
  return pieces
    .filter(([, begin, end]) => begin < end)
    .map(([source, begin, end]) => ({ source, from: begin, to: end, offsetMs }))
}

const QUARTER_MS = 900_000

/** Where the whole units of a range begin and end; undefined when there are none in it. */
function wholeUnits(
  from: number,
  to: number,
  length: number,
  startOf: (at: number) => number,
): [first: number, end: number] | undefined {
  const first = startOf(from) === from ? from : startOf(from) + length
  const end = startOf(to)
  return first < end ? [first, end] : undefined
}
