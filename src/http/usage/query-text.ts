// A usage query as text, from a command line or a URL: day,model and provider=jimmy.
import type { UsageFilter } from '../../db/money/usage-report.ts'
import { OPERATIONS, QUALITIES, TASK_STATUSES } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { USAGE_DIMENSIONS, type UsageDimension, type UsageQuery } from '../../engine/usage/query.ts'
import { findZone, momentOf, periodOf } from '../../engine/usage/time-zone.ts'

export interface UsageWords {
  /** A day, a month, or a moment; the start of this month when left out. */
  from?: string | undefined
  /** The same; until now when left out. */
  to?: string | undefined
  /** Dimensions with commas between them; `metadata.team` is the label team. */
  groupBy?: string | undefined
  timeZone?: string | undefined
  /** What must hold, such as provider and jimmy; a name that comes twice may be either. */
  filter: readonly (readonly [name: string, value: string])[]
}

/** Throws BAD_USER_INPUT for a word that says nothing. Whose usage it is, is not for the words to say. */
export function readUsageQuery(words: UsageWords, now: number): Omit<UsageQuery, 'projectId'> {
  const timeZone = words.timeZone ?? 'UTC'
  const names = (words.groupBy ?? '').split(',').map((word) => word.trim())
  const dimensions = names.filter((word) => word !== '').map(readDimension)
  const labels = dimensions.flatMap(({ metadataKey }) => metadataKey ?? [])
  if (labels.length > 1)
    throw badInput('groupBy', `One label at a time can be grouped by, not ${labels.join(' and ')}.`)
  return {
    from: words.from === undefined ? thisMonth(timeZone, now) : readMoment('from', words.from, timeZone),
    to: words.to === undefined ? null : readMoment('to', words.to, timeZone),
    groupBy: dimensions.map(({ dimension }) => dimension),
    filter: readFilter(words.filter),
    timeZone,
    metadataKey: labels[0] ?? null,
  }
}

/** How a dimension is written: api_key for API_KEY. */
export function wordOf(dimension: UsageDimension, metadataKey: string | null): string {
  return dimension === 'METADATA' ? `${LABEL}${metadataKey}` : dimension.toLowerCase()
}

const LABEL = 'metadata.'

function readDimension(word: string): { dimension: UsageDimension; metadataKey?: string } {
  if (word.startsWith(LABEL)) return { dimension: 'METADATA', metadataKey: word.slice(LABEL.length) }
  const name = word.toUpperCase().replaceAll('-', '_')
  const dimension = USAGE_DIMENSIONS.find((one) => one === name && one !== 'METADATA')
  if (dimension) return { dimension }
  const known = USAGE_DIMENSIONS.filter((one) => one !== 'METADATA').map((one) => one.toLowerCase())
  throw badInput(
    'groupBy',
    `Nothing can be grouped by ${quote(word)}; by ${known.join(', ')} and metadata.<label>.`,
  )
}

const LISTS: Readonly<
  Record<string, { list: Exclude<keyof UsageFilter, 'metadata'>; values?: readonly string[] }>
> = {
  api_key: { list: 'apiKeyIds' },
  provider: { list: 'providers' },
  model: { list: 'models' },
  user: { list: 'users' },
  operation: { list: 'operations', values: OPERATIONS },
  quality: { list: 'qualities', values: QUALITIES },
  size: { list: 'sizes' },
  status: { list: 'statuses', values: TASK_STATUSES },
}

function readFilter(words: UsageWords['filter']): UsageFilter {
  const filter: Record<string, unknown[]> = {}
  for (const [word, value] of words) {
    if (word.startsWith(LABEL)) {
      ;(filter['metadata'] ??= []).push({ key: word.slice(LABEL.length), value })
      continue
    }
    const name = word.toLowerCase().replaceAll('-', '_')
    const known = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined
    if (!known)
      throw badInput(
        'filter',
        `There is no filter ${quote(word)}; there are ${Object.keys(LISTS).join(', ')} and metadata.<label>.`,
      )
    const { list, values } = known
    const meant = values ? value.toUpperCase() : value
    if (values && !values.includes(meant))
      throw badInput('filter', `${name} is ${quote(value)}; it can be ${values.join(', ').toLowerCase()}.`)
    ;(filter[list] ??= []).push(meant)
  }
  return filter
}

const DATE = /^(\d{4}-\d\d)(-\d\d)?(?:[T ](\d\d:\d\d(?::\d\d)?))?$/

/** What names no zone of its own is a time of the report's. */
function readMoment(field: 'from' | 'to', word: string, timeZone: string): number {
  const [, month, day = '-01', time = '00:00'] = DATE.exec(word) ?? []
  const at = Date.parse(month === undefined ? word : `${month}${day}T${time}Z`)
  const isWhole = month !== undefined || /^\d{4}-\d\d-\d\dT/.test(word)
  if (Number.isNaN(at) || !isWhole)
    throw badInput(
      field,
      `\`${field}\` is ${quote(word)}; it can be 2026-11, 2026-11-20, or 2026-11-20T08:00:00Z.`,
    )
  const zone = findZone(timeZone)
  // An unknown zone is reported by `checkUsageQuery`.
  return month === undefined || !zone ? at : momentOf(zone, at)
}

function thisMonth(timeZone: string, now: number): number {
  const zone = findZone(timeZone)
  return zone ? periodOf(zone, 'MONTH', now).startsAt : now
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
