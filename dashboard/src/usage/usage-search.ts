// Parameters of the URL of the Usage page.
import type { UsageDimension } from '../api/generated.ts'
import { isZone, type Unit } from '../format/zone.ts'

export const RANGES = ['24h', '7d', '30d', 'month', '12m'] as const
export type Range = (typeof RANGES)[number]
export const DEFAULT_RANGE: Range = '7d'

export const MEASURES = ['cost', 'images', 'tasks', 'tokens'] as const
export type Measure = (typeof MEASURES)[number]

export type Split = Exclude<UsageDimension, Unit>
/** Answered from totals that the server keeps. */
export const FAST_SPLITS: readonly Split[] = ['MODEL', 'PROVIDER', 'API_KEY', 'PROJECT']
/** The server reads every attempt of the range. */
export const SLOW_SPLITS: readonly Split[] = ['USER', 'OPERATION', 'QUALITY', 'SIZE', 'STATUS', 'METADATA']
const UNITS: readonly Unit[] = ['HOUR', 'DAY', 'MONTH']

/** Names of the filters in the URL, which are those of `/usage.csv`. */
export const FILTERS = [
  'model',
  'provider',
  'api_key',
  'user',
  'operation',
  'quality',
  'size',
  'status',
] as const
export type FilterName = (typeof FILTERS)[number]

/** Absent without a condition, and for defaults. */
export type UsageSearch = {
  range?: Range | undefined
  /** ISO times of a fixed range, both or none. */
  from?: string | undefined
  to?: string | undefined
  by?: Lowercase<Unit> | undefined
  split?: Lowercase<Split> | undefined
  metadataKey?: string | undefined
  tz?: string | undefined
  measure?: Measure | undefined
  /** All projects, for operators. */
  all?: 1 | undefined
} & { [Name in FilterName]?: string[] | undefined }

/** Reads values from a URL; ignores those that are not valid. */
export function readUsageSearch(given: Readonly<Record<string, unknown>>): UsageSearch {
  const text = (name: string) => {
    const value = given[name]
    const joined = Array.isArray(value) ? value.join(',') : value
    return typeof joined === 'string' && joined !== '' ? joined : undefined
  }
  const oneOf = <T extends string>(name: string, values: readonly T[]) =>
    values.find((value) => value === text(name))
  const [from, to] = [timeOf(text('from')), timeOf(text('to'))]
  const hasFixed = from !== undefined && to !== undefined && from < to
  const range = oneOf('range', RANGES)
  const by = UNITS.find((unit) => unit.toLowerCase() === text('by'))
  const metadataKey = text('metadataKey')
  const split = [...FAST_SPLITS, ...SLOW_SPLITS].find((one) => one.toLowerCase() === text('split'))
  const isSplit = split !== undefined && (split !== 'METADATA' || metadataKey !== undefined)
  const tz = text('tz')
  const measure = oneOf('measure', MEASURES)
  const filters = FILTERS.flatMap((name) => {
    const values = text(name)
      ?.split(',')
      .filter((value) => value !== '')
    return values && values.length > 0 ? [[name, values] as const] : []
  })
  return {
    ...(hasFixed && { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    ...(!hasFixed && range && range !== DEFAULT_RANGE && { range }),
    ...(by && { by: by.toLowerCase() as Lowercase<Unit> }),
    ...(isSplit && split !== 'MODEL' && { split: split.toLowerCase() as Lowercase<Split> }),
    ...(split === 'METADATA' && metadataKey !== undefined && { metadataKey }),
    ...(tz !== undefined && isZone(tz) && { tz }),
    ...(measure && measure !== 'cost' && { measure }),
    ...(text('all') === '1' || given['all'] === 1 ? { all: 1 as const } : {}),
    ...Object.fromEntries(filters),
  }
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
