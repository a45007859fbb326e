// The query of a usage report, and its validation.
import type { UsageFilter, UsageKey } from '../../db/money/usage-report.ts'
import { badInput } from '../../errors.ts'
import { DAY_MS, findZone, type Unit, type Zone } from './time-zone.ts'

/** What reports group by: time, and what is known of attempts and their tasks. */
export const USAGE_DIMENSIONS = [
  'HOUR',
  'DAY',
  'MONTH',
  'PROJECT',
  'API_KEY',
  'USER',
  'PROVIDER',
  'MODEL',
  'OPERATION',
  'QUALITY',
  'SIZE',
  'STATUS',
  'METADATA',
] as const

export type UsageDimension = (typeof USAGE_DIMENSIONS)[number]

/** The dimensions that are no time, each with its key in a row. */
export const KEY_OF: Readonly<Record<Exclude<UsageDimension, Unit>, UsageKey>> = {
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
}

/** The times among them, the finest first. */
export const UNITS = ['HOUR', 'DAY', 'MONTH'] as const satisfies Unit[]

export interface UsageQuery {
  /** Null for all projects. */
  projectId: string | null
  from: number
  /** The first moment that is not in it any more; null for all there is until now. */
  to: number | null
  groupBy: readonly UsageDimension[]
  filter: UsageFilter
  /** Whose hours, days and months they are: a name of the IANA database. */
  timeZone: string
  /** The label that METADATA groups by; null without it. */
  metadataKey: string | null
}

/** The most rows of one report. */
export const MAX_ROWS = 10_000
const MAX_YEARS = 50
/** The most values of one filter. */
const MAX_VALUES = 1000

/** Throws BAD_USER_INPUT for what cannot be answered; else its time zone. */
export function checkUsageQuery(query: UsageQuery): Zone {
  const { from, to, groupBy, filter, timeZone, metadataKey } = query
  const zone = findZone(timeZone)
  if (!zone) {
    throw badInput(
      'timeZone',
      `There is no time zone ${quote(timeZone)}. It is a name of the IANA database, Europe/Berlin for example, or UTC.`,
    )
  }
  if (to !== null && to <= from)
    throw badInput(
      'to',
      `\`from\` is ${say(from)} and \`to\` is ${say(to)}; it must be later, for it is not in the report any more.`,
    )
  if (to !== null && to - from > MAX_YEARS * 366 * DAY_MS)
    throw badInput('from', `From ${say(from)} to ${say(to)} are more than ${MAX_YEARS} years.`)
  const twice = groupBy.find((dimension, nth) => groupBy.indexOf(dimension) !== nth)
  if (twice) throw badInput('groupBy', `\`groupBy\` names ${twice} twice; once is enough.`)
  if (groupBy.includes('METADATA') && metadataKey === null)
    throw badInput(
      'metadataKey',
      'METADATA groups by one label; say which: metadataKey: "team", for example.',
    )
  if (metadataKey !== null && !groupBy.includes('METADATA'))
    throw badInput(
      'metadataKey',
      `\`metadataKey\` is ${quote(metadataKey)}, and \`groupBy\` does not name METADATA.`,
    )
  for (const [name, values] of Object.entries(filter)) {
    if (values.length > MAX_VALUES)
      throw badInput(
        `filter.${name}`,
        `\`filter.${name}\` has ${values.length} values; ${MAX_VALUES} are possible.`,
      )
  }
  return zone
}

/** What to say when there is more than anybody reads. */
export function tooManyRows({ groupBy }: UsageQuery): Error {
  return badInput(
    'groupBy',
    `Grouped by ${groupBy.join(', ')}, the report has more than ${MAX_ROWS} rows. ` +
      'Ask for a shorter time, for fewer dimensions, or filter.',
  )
}

function say(at: number): string {
  return new Date(at).toISOString()
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
