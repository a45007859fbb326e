// From Node 26 on the polyfill uses Node's Temporal. A conditional import would be a top-level await, with
// which `require('darkroom')` fails.
import { Temporal } from 'temporal-polyfill'

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

export type Unit = 'HOUR' | 'DAY' | 'MONTH'

/** A checked name. */
export type Zone = string

export interface OffsetRange {
  from: number
  /** Exclusive. */
  to: number
  /** Positive ahead of UTC. */
  offsetMs: number
}

export interface CalendarPeriod {
  startsAt: number
  /** Exclusive. DST changes make days of 23 or 25 hours. */
  endsAt: number
  /** 2026-11-20T14:00+01:00, 2026-11-20 or 2026-11. */
  label: string
}

/** IANA name, such as Europe/Berlin, or offset, such as +01:00. */
export function findZone(name: string): Zone | undefined {
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** `2026-03-29T03:00:00`. */
export function localTime(zone: Zone, at: number): string {
  return zonedTime(zone, at).toPlainDateTime().toString()
}

function zonedTime(zone: Zone, at: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
}

export function listOffsets(zone: Zone, from: number, to: number): OffsetRange[] {
  const ranges: OffsetRange[] = []
  for (let start: number | undefined = from; start !== undefined && start < to;) {
    const time = zonedTime(zone, start)
    const change = time.getTimeZoneTransition('next')?.epochMilliseconds
    ranges.push({ from: start, to: Math.min(change ?? to, to), offsetMs: offsetOf(time) })
    start = change
  }
  return ranges
}

function offsetOf({ offsetNanoseconds }: Temporal.ZonedDateTime): number {
  return offsetNanoseconds / 1_000_000
}

/** First moment of a local time, encoded as if UTC; of a skipped one, the skip. */
export function momentOf(zone: Zone, local: number): number {
  const shown = zonedTime('UTC', local).toPlainDateTime()
  const time = shown.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (time.toPlainDateTime().equals(shown)) return time.epochMilliseconds
  // `earlier` precedes the gap.
  return time.getTimeZoneTransition('next')!.epochMilliseconds
}

export function periodOf(zone: Zone, unit: Unit, at: number): CalendarPeriod {
  const time = zonedTime(zone, at)
  if (unit === 'HOUR') return hourOf(time)
  const first = unit === 'DAY' ? time.toPlainDate() : time.toPlainDate().with({ day: 1 })
  const next = first.add(unit === 'DAY' ? { days: 1 } : { months: 1 })
  return {
    startsAt: first.toZonedDateTime(zone).epochMilliseconds,
    endsAt: next.toZonedDateTime(zone).epochMilliseconds,
    label: (unit === 'DAY' ? first : first.toPlainYearMonth()).toString(),
  }
}

/** Repeated hours are two periods; an offset change may cut one. */
function hourOf(time: Temporal.ZonedDateTime): CalendarPeriod {
  const offsetMs = offsetOf(time)
  const zone = time.timeZoneId
  const start = Math.floor((time.epochMilliseconds + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs
  const [first, last] = [zonedTime(zone, start), zonedTime(zone, start + HOUR_MS - 1)]
  const begin = offsetOf(first) === offsetMs ? first : first.getTimeZoneTransition('next')!
  const end =
    offsetOf(last) === offsetMs ? start + HOUR_MS : time.getTimeZoneTransition('next')!.epochMilliseconds
  const label = begin.toPlainDateTime().toString({ smallestUnit: 'minute' })
  return {
    startsAt: begin.epochMilliseconds,
    endsAt: end,
    label: offsetMs === 0 ? `${label}Z` : `${label}${begin.offset.slice(0, 6)}`,
  }
}
