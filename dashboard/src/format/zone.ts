// Calendar periods of a time zone, as the server counts them.
export type Unit = 'HOUR' | 'DAY' | 'MONTH'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const formats = new Map<string, Intl.DateTimeFormat>()

/** The time on the clocks of the zone, in milliseconds as if it were UTC. Throws RangeError for an unknown zone. */
function wallTime(at: number, timeZone: string): number {
  const known = formats.get(timeZone)
  const format =
    known ??
    new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  if (!known) formats.set(timeZone, format)
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

export function isZone(timeZone: string): boolean {
  try {
    wallTime(0, timeZone)
    return true
  } catch {
    return false
  }
}

/** Start of the period in which `at` is. */
export function startOf(unit: Unit, at: number, timeZone: string): number {
  const second = Math.floor(at / 1000) * 1000
  const wall = wallTime(second, timeZone)
  if (unit === 'HOUR') return second - (wall % HOUR_MS)
  const date = new Date(wall)
  const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), unit === 'DAY' ? date.getUTCDate() : 1)
  // The clocks may change between the start and `at`.
  const guess = start - (wall - second)
  return start - (wallTime(guess, timeZone) - guess)
}

/** `count` periods before or after the one that starts at `start`. */
export function shift(unit: Unit, start: number, count: number, timeZone: string): number {
  if (unit === 'HOUR') return start + count * HOUR_MS
  const date = new Date(wallTime(start, timeZone))
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const target = unit === 'DAY' ? Date.UTC(year, month, day + count) : Date.UTC(year, month + count)
  // Noon exists on every day, and in every zone it is in the day.
  return startOf(unit, target + DAY_MS / 2 - (wallTime(start, timeZone) - start), timeZone)
}

/** Starts of all periods that overlap the range, at most `max`. */
export function periodsOf(
  unit: Unit,
  { from, to, timeZone }: { from: number; to: number; timeZone: string },
  max = 1_000,
): number[] {
  const starts: number[] = []
  for (
    let at = startOf(unit, from, timeZone);
    at < to && starts.length < max;
    at = shift(unit, at, 1, timeZone)
  )
    starts.push(at)
  return starts
}

/** Name of a period for people: `14:00`, `20 Nov`, `Nov 2026`. */
export function periodName(unit: Unit, start: number, timeZone: string): string {
  const options: Intl.DateTimeFormatOptions =
    unit === 'HOUR'
      ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
      : unit === 'DAY'
        ? { day: 'numeric', month: 'short' }
        : { month: 'short', year: 'numeric' }
  return new Date(start).toLocaleString('en-GB', { ...options, timeZone })
}

/** As `periodName`, with the day of an hour and the weekday of a day. */
export function longPeriodName(unit: Unit, start: number, timeZone: string): string {
  const options: Intl.DateTimeFormatOptions =
    unit === 'HOUR'
      ? { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
      : unit === 'DAY'
        ? { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }
        : { month: 'long', year: 'numeric' }
  return new Date(start).toLocaleString('en-GB', { ...options, timeZone })
}
