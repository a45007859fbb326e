import type { UsageFilter, UsageKey } from '../../db/money/usage-report.ts'
import { badInput } from '../../errors.ts'
import { DAY_MS, findZone, type Unit, type Zone } from './time-zone.ts'

/** Finest first. */
export const UNITS = ['HOUR', 'DAY', 'MONTH'] as const satisfies Unit[]

/** Their keys in a row. */
export const KEY_OF = {
  PROJECT: 'projectId',
  API_KEY: 'apiKeyId',
  USER: 'user',
  PROVIDER: 'provider',
  MODEL: 'model',
  OPERATION: 'operation',
  QUALITY: 'quality',
  SIZE: 'size',
  STATUS: 'status',
  METADATA: 'metadata',
} as const satisfies Record<string, UsageKey>

export type UsageDimension = Unit | keyof typeof KEY_OF

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys has the type string[]
export const USAGE_DIMENSIONS = [...UNITS, ...Object.keys(KEY_OF)] as readonly UsageDimension[]

export function isTime(dimension: UsageDimension): dimension is Unit {
  return !(dimension in KEY_OF)
}

export interface UsageQuery {
  /** Null: all. */
  projectId: string | null
  from: number
  /** Exclusive; null: now. */
  to: number | null
  groupBy: readonly UsageDimension[]
  filter: UsageFilter
  /** IANA name. */
  timeZone: string
  /** For METADATA, else null. */
  metadataKey: string | null
}

export const MAX_ROWS = 10_000
const MAX_YEARS = 50
const MAX_VALUES = 1000

/** Returns the time zone. Throws BAD_USER_INPUT. */
export function checkUsageQuery({ from, to, groupBy, filter, timeZone, metadataKey }: UsageQuery): Zone {
  const zone = findZone(timeZone)
  if (!zone) {
    throw badInput(
      'timeZone',
      `timeZone is ${quote(timeZone)}; it must be a name of the IANA database such as Europe/Berlin, or UTC.`,
    )
  }
  if (to !== null && to <= from)
    throw badInput('to', `to is ${toText(to)}; it is exclusive and must be later than from, ${toText(from)}.`)
  if (to !== null && to - from > MAX_YEARS * 366 * DAY_MS)
    throw badInput('from', `From ${toText(from)} to ${toText(to)} are more than ${MAX_YEARS} years.`)
  const repeated = groupBy.find((dimension, i) => groupBy.indexOf(dimension) !== i)
  if (repeated) throw badInput('groupBy', `groupBy names ${repeated} twice.`)
  if (groupBy.includes('METADATA') && metadataKey === null)
    throw badInput('metadataKey', 'groupBy names METADATA, which requires metadataKey, such as "team".')
  if (metadataKey !== null && !groupBy.includes('METADATA'))
    throw badInput('metadataKey', `metadataKey is ${quote(metadataKey)}, but groupBy does not name METADATA.`)
  for (const [name, values] of Object.entries(filter)) {
    if (values.length > MAX_VALUES)
      throw badInput(
        `filter.${name}`,
        `filter.${name} has ${values.length} values; the maximum is ${MAX_VALUES}.`,
      )
  }
  return zone
}

export function tooManyRows({ groupBy }: UsageQuery): Error {
  return badInput(
    'groupBy',
    `Grouped by ${groupBy.join(', ')}, the report has more than ${MAX_ROWS} rows, which is the maximum. ` +
      'Use a shorter range, fewer dimensions or a filter.',
  )
}

function toText(at: number): string {
  return new Date(at).toISOString()
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
