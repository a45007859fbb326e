import { parseDuration } from '../period.ts'
import { UsageError } from './command.ts'

/** A day or a time in UTC, as ISO 8601. Throws UsageError. */
export function readDay(option: string, text: string): string {
  const at = parseDay(text)
  if (at !== undefined) return at
  throw new UsageError(
    `${option} is "${text}"; it must be a day such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z.`,
  )
}

/** As `readDay`, or a duration before `now`: `12h`, `7d`, `4w`. */
export function readTime(option: string, text: string, now: number): string {
  const durationMs = parseDuration(text)
  const at = durationMs === undefined ? parseDay(text) : new Date(now - durationMs).toISOString()
  if (at !== undefined) return at
  throw new UsageError(
    `${option} is "${text}"; it must be a day such as 2026-11-01, a time such as 2026-11-01T08:00:00Z, or a duration such as 12h, 7d or 4w.`,
  )
}

function parseDay(text: string): string | undefined {
  const at = /^\d{4}-\d\d-\d\d$/.test(text)
    ? new Date(`${text}T00:00:00Z`)
    : new Date(/^\d{4}-\d\d-\d\dT.*Z$/.test(text) ? text : Number.NaN)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
