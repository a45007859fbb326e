// Hours, days and months of any time zone, from the one thing that the runtime tells about it: how far it is from UTC at
// a moment.

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** A unit of the calendar that reports group by. */
export type Unit = 'HOUR' | 'DAY' | 'MONTH'

export interface Zone {
  /** How far its clocks are ahead of UTC, in milliseconds. */
  offsetAt(at: number): number
}

/** A stretch of time in which a zone keeps one distance from UTC: `from` on, and before `to`. */
export interface Stretch {
  from: number
  to: number
  offsetMs: number
}

/** An hour, day or month as a zone's calendar has it. */
export interface Period {
  startsAt: number
  /** The first moment that is not in it any more: 23 or 25 hours on where clocks are changed. */
  endsAt: number
  /** 2026-11-20T14:00+01:00, 2026-11-20 or 2026-11. */
  label: string
}

const UTC: Zone = { offsetAt: () => 0 }

/** A zone of the IANA database by its name, such as Europe/Berlin; undefined when there is none. */
export function findZone(name: string): Zone | undefined {
  if (name === 'UTC') return UTC
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  return {
    offsetAt(at) {
      const word = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
      const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(word)
      if (!match) throw new Error(`The runtime calls the offset of ${name} ${word}.`)
      const [, sign, hours = 0, minutes = 0, seconds = 0] = match
      const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
      return sign === '-' ? -ms : ms
    },
  }
}

/** No zone changes its clocks twice within so long. */
const STEP_MS = 7 * DAY_MS

/** The stretches of `from` to `to`, in order. */
export function listStretches(zone: Zone, from: number, to: number): Stretch[] {
  if (zone === UTC) return [{ from, to, offsetMs: 0 }]
  const stretches: Stretch[] = []
  let begin = from
  for (let at = from; at < to; at += STEP_MS) {
    const next = Math.min(at + STEP_MS, to)
    const offsetMs = zone.offsetAt(at)
    if (zone.offsetAt(next) === offsetMs) continue
    const change = changeBetween(zone, at, next)
    stretches.push({ from: begin, to: change, offsetMs })
    begin = change
  }
  if (begin < to) stretches.push({ from: begin, to, offsetMs: zone.offsetAt(begin) })
  return stretches
}

/** The first moment with another offset than at `from`, where there is one change up to `to`. */
function changeBetween(zone: Zone, from: number, to: number): number {
  const before = zone.offsetAt(from)
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offsetAt(middle) === before) low = middle
    else high = middle
  }
  return high
}

/**
 * The first moment at which a zone's clocks show `local` (written as if they showed UTC), or later where that time is
 * left out: midnight does not exist on some days.
 */
export function momentOf(zone: Zone, local: number): number {
  const [early, late] = [zone.offsetAt(local - DAY_MS), zone.offsetAt(local + DAY_MS)]
  if (zone.offsetAt(local - early) === early) return local - early
  if (zone.offsetAt(local - late) === late) return local - late
  return changeBetween(zone, local - Math.max(early, late), local - Math.min(early, late))
}

/** The start of the unit that a local time lies in, as a local time. */
export function startOfUnit(unit: Unit, local: number): number {
  if (unit === 'MONTH') {
    const date = new Date(local)
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
  }
  const length = unit === 'HOUR' ? HOUR_MS : DAY_MS
  return Math.floor(local / length) * length
}

/** The unit of a zone's calendar that a moment lies in. */
export function periodOf(zone: Zone, unit: Unit, at: number): Period {
  if (unit === 'HOUR') return hourOf(zone, at)
  const start = startOfUnit(unit, at + zone.offsetAt(at))
  const end = startOfUnit(unit, start + (unit === 'DAY' ? DAY_MS : 31 * DAY_MS))
  return {
    startsAt: momentOf(zone, start),
    endsAt: momentOf(zone, end),
    label: new Date(start).toISOString().slice(0, unit === 'DAY' ? 10 : 7),
  }
}

/** An hour that comes twice, when clocks are put back, is two; one that is cut by a change ends or begins with it. */
function hourOf(zone: Zone, at: number): Period {
  const offset = zone.offsetAt(at)
  const start = startOfUnit('HOUR', at + offset) - offset
  const end = start + HOUR_MS
  const startsAt = zone.offsetAt(start) === offset ? start : changeBetween(zone, start, at)
  const endsAt = zone.offsetAt(end - 1) === offset ? end : changeBetween(zone, at, end)
  return { startsAt, endsAt, label: toLocalText(startsAt, offset) }
}

/** A moment to the minute, with its distance from UTC. */
function toLocalText(at: number, offsetMs: number): string {
  const ahead = new Date(Math.abs(offsetMs)).toISOString().slice(11, 16)
  const local = new Date(at + offsetMs).toISOString().slice(0, 16)
  return offsetMs === 0 ? `${local}Z` : `${local}${offsetMs < 0 ? '-' : '+'}${ahead}`
}
