// What the page asks the server: one question for the report, its live form, and the CSV.
import type { UsageDimension, UsageFilter } from '../api/generated.ts'
import { periodsOf, shift, startOf, type Unit } from '../format/zone.ts'
import {
  DEFAULT_RANGE,
  FILTERS,
  type FilterName,
  type Range,
  type Split,
  type UsageSearch,
} from './usage-search.ts'

export interface Question {
  from: number
  /** Exclusive. Null for a range that ends now. */
  to: number | null
  unit: Unit
  split: Split
  metadataKey: string | undefined
  timeZone: string
  filter: UsageFilter
  isOfAllProjects: boolean
}

/** A chart with more bars could not be read. */
const MAX_BARS = { HOUR: 72, DAY: 93, MONTH: 120 } as const
export const UNITS: readonly Unit[] = ['HOUR', 'DAY', 'MONTH']

export function questionOf(search: UsageSearch, now: number, browserZone: string): Question {
  const timeZone = search.tz ?? browserZone
  const { from, to } = rangeOf(search, now, timeZone)
  const asked = UNITS.find((unit) => unit.toLowerCase() === search.by)
  return {
    from,
    to: to >= now ? null : to,
    unit: asked && isReadable(asked, from, to, timeZone) ? asked : unitFor(from, to, timeZone),
    split: (search.split?.toUpperCase() as Split | undefined) ?? 'MODEL',
    metadataKey: search.split === 'metadata' ? search.metadataKey : undefined,
    timeZone,
    filter: filterOf(search),
    isOfAllProjects: search.all === 1,
  }
}

/** The finest unit whose bars can be read. */
function unitFor(from: number, to: number, timeZone: string): Unit {
  return UNITS.find((unit) => isReadable(unit, from, to, timeZone)) ?? 'MONTH'
}

export function isReadable(unit: Unit, from: number, to: number, timeZone: string): boolean {
  return periodsOf(unit, { from, to, timeZone }, MAX_BARS[unit] + 1).length <= MAX_BARS[unit]
}

function rangeOf(search: UsageSearch, now: number, timeZone: string): { from: number; to: number } {
  if (search.from !== undefined && search.to !== undefined)
    return { from: Date.parse(search.from), to: Date.parse(search.to) }
  return { from: startOfRange(search.range ?? DEFAULT_RANGE, now, timeZone), to: now }
}

function startOfRange(range: Range, now: number, timeZone: string): number {
  const start = (unit: Unit, back: number) => shift(unit, startOf(unit, now, timeZone), -back, timeZone)
  if (range === '24h') return start('HOUR', 23)
  if (range === '7d') return start('DAY', 6)
  if (range === '30d') return start('DAY', 29)
  return start('MONTH', range === 'month' ? 0 : 11)
}

const LISTS: Readonly<Record<FilterName, Exclude<keyof UsageFilter, 'metadata'>>> = {
  model: 'models',
  provider: 'providers',
  api_key: 'apiKeyIds',
  user: 'users',
  operation: 'operations',
  quality: 'qualities',
  size: 'sizes',
  status: 'statuses',
}

function filterOf(search: UsageSearch): UsageFilter {
  const given = FILTERS.filter((name) => search[name] !== undefined)
  return Object.fromEntries(given.map((name) => [LISTS[name], search[name]]))
}

export function groupByOf({ unit, split }: Question): UsageDimension[] {
  return [unit, split]
}

/** Variables of `ReadUsage`; `WatchUsage` takes them without `to` and `allProjects`. */
export function variablesOf(question: Question) {
  const { from, metadataKey, timeZone, filter } = question
  return {
    from: new Date(from).toISOString(),
    groupBy: groupByOf(question),
    timeZone,
    filter,
    ...(metadataKey !== undefined && { metadataKey }),
  }
}

/** Path and query of the same report as CSV. `to`: the end of the report that is shown. */
export function csvPathOf(question: Question, search: UsageSearch, to: string): string {
  const { from, unit, split, metadataKey, timeZone, isOfAllProjects } = question
  const groups = [unit.toLowerCase(), split === 'METADATA' ? `metadata.${metadataKey}` : split.toLowerCase()]
  const query = new URLSearchParams({
    from: new Date(from).toISOString(),
    to,
    groupBy: groups.join(','),
    timeZone,
    ...(isOfAllProjects && { allProjects: 'true' }),
  })
  for (const name of FILTERS) for (const value of search[name] ?? []) query.append(name, value)
  return `usage.csv?${query}`
}
