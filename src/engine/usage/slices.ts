import { QUARTER_HOUR_MS, startOfDay, startOfQuarterHour } from '../../period.ts'
import { ROLLUP_KEYS } from '../../db/money/usage-report.ts'
import { isTime, KEY_OF, UNITS, type UsageQuery } from './query.ts'
import { DAY_MS, HOUR_MS, listOffsets, type OffsetRange, type Unit, type Zone } from './time-zone.ts'

type Source = 'DAYS' | 'QUARTER_HOURS' | 'ATTEMPTS'

/** From one source. */
export interface Piece extends OffsetRange {
  source: Source
}

/** Finest; undefined without any. */
export function unitOf({ groupBy }: Pick<UsageQuery, 'groupBy'>): Unit | undefined {
  return UNITS.find((unit) => groupBy.includes(unit))
}

/** Months are sums of days. */
export function lengthOf(unit: Unit): number {
  return unit === 'HOUR' ? HOUR_MS : DAY_MS
}

/** Days if possible, else quarter-hours; attempts for parts of a quarter and keys without rollup. */
export function listPieces(query: UsageQuery, zone: Zone, from: number, to: number): Piece[] {
  const unit = unitOf(query)
  // Without units of time, the zone does not matter.
  const ranges = unit ? listOffsets(zone, from, to) : [{ from, to, offsetMs: 0 }]
  return ranges.flatMap((range) => {
    if (needsAttempts(query)) return [{ ...range, source: 'ATTEMPTS' as const }]
    return cut(range, unit !== 'HOUR' && range.offsetMs === 0)
  })
}

const IN_ROLLUPS: ReadonlySet<string> = new Set([...ROLLUP_KEYS, 'models', 'providers', 'apiKeyIds'])

function needsAttempts({ groupBy, filter }: UsageQuery): boolean {
  const keys = groupBy.flatMap((dimension) => (isTime(dimension) ? [] : [KEY_OF[dimension]]))
  return [...keys, ...Object.keys(filter)].some((name) => !IN_ROLLUPS.has(name))
}

function cut({ from, to, offsetMs }: OffsetRange, allowDays: boolean): Piece[] {
  const quarters = wholeUnits(from, to, QUARTER_HOUR_MS, startOfQuarterHour) ?? [to, to]
  const [firstQuarter, endOfQuarters] = quarters
  const days = allowDays ? wholeUnits(from, to, DAY_MS, startOfDay) : undefined
  const [firstDay, endOfDays] = days ?? [endOfQuarters, endOfQuarters]
  const pieces: [Source, from: number, to: number][] = [
    ['ATTEMPTS', from, firstQuarter],
    ['QUARTER_HOURS', firstQuarter, firstDay],
    ['DAYS', firstDay, endOfDays],
    ['QUARTER_HOURS', endOfDays, endOfQuarters],
    ['ATTEMPTS', endOfQuarters, to],
  ]
  return pieces
    .filter(([, begin, end]) => begin < end)
    .map(([source, begin, end]) => ({ source, from: begin, to: end, offsetMs }))
}

/** Undefined without any. */
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
