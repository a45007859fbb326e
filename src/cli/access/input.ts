import { didYouMean } from '../../config/nearest.ts'
import { SCOPES, type Scope } from '../../domain.ts'
import { UsageError } from '../exit.ts'

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `generate,read` as scopes; undefined for the usual ones. Throws UsageError. */
export function readScopes(text: string | undefined): Scope[] | undefined {
  return text?.split(',').map((word) => {
    const wanted = word.trim().toUpperCase()
    const found = SCOPES.find((scope) => scope === wanted)
    if (found) return found
    const known = SCOPES.map((scope) => scope.toLowerCase())
    const hint = didYouMean(word.trim(), known)
    throw new UsageError(`--scopes has "${word.trim()}", but may have ${known.join(', ')}.${hint}`)
  })
}

/** `90d`, `12h`, `4w` from now on, or a day: the moment a key expires, as GraphQL takes it. Throws UsageError. */
export function readExpiry(text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined
  const [, count = '', unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const ms = UNITS[unit]
  if (ms !== undefined) return new Date(now + Number(count) * ms).toISOString()
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  if (day && !Number.isNaN(day.getTime())) return day.toISOString()
  throw new UsageError(`--expires is "${text}", but must be such as 90d, 12h, 4w or 2027-01-31.`)
}
