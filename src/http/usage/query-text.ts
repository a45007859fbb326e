// From a command line or URL: groupBy=day,model&provider=jimmy.
import type { UsageFilter } from '../../db/money/usage-report.ts'
import { OPERATIONS, QUALITIES, TASK_STATUSES } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { USAGE_DIMENSIONS, type UsageDimension, type UsageQuery } from '../../engine/usage/query.ts'
import { findZone, momentOf, periodOf } from '../../engine/usage/time-zone.ts'

export interface UsageQueryText {
  /** A month, day or time; default: start of the current month. */
  from?: string | undefined
  to?: string | undefined
  /** Comma-separated; `metadata.team` is the label `team`. */
  groupBy?: string | undefined
  timeZone?: string | undefined
  /** Such as `provider` and `jimmy`; values of one name are alternatives. */
  filter: readonly (readonly [name: string, value: string])[]
}

/** Throws BAD_USER_INPUT. The caller adds the project. */
export function readUsageQuery(text: UsageQueryText, now: number): Omit<UsageQuery, 'projectId'> {
  const timeZone = text.timeZone ?? 'UTC'
  const names = (text.groupBy ?? '').split(',').map((name) => name.trim())
  const dimensions = names.filter((name) => name !== '').map(readDimension)
  const labels = dimensions.flatMap(({ metadataKey }) => metadataKey ?? [])
  if (labels.length > 1)
    throw badInput('groupBy', `groupBy has the labels ${labels.join(' and ')}; the maximum is one label.`)
  return {
    from: text.from === undefined ? thisMonth(timeZone, now) : readTime('from', text.from, timeZone),
    to: text.to === undefined ? null : readTime('to', text.to, timeZone),
    groupBy: dimensions.map(({ dimension }) => dimension),
    filter: readFilter(text.filter),
    timeZone,
    metadataKey: labels[0] ?? null,
  }
}

export function dimensionText(dimension: UsageDimension, metadataKey: string | null): string {
  return dimension === 'METADATA' ? `${LABEL}${metadataKey}` : dimension.toLowerCase()
}

const LABEL = 'metadata.'

function readDimension(text: string): { dimension: UsageDimension; metadataKey?: string } {
  if (text.startsWith(LABEL)) return { dimension: 'METADATA', metadataKey: text.slice(LABEL.length) }
  const name = text.toUpperCase().replaceAll('-', '_')
  const dimension = USAGE_DIMENSIONS.find((one) => one === name && one !== 'METADATA')
  if (dimension) return { dimension }
  const known = USAGE_DIMENSIONS.filter((one) => one !== 'METADATA').map((one) => one.toLowerCase())
  throw badInput(
    'groupBy',
    `There is no dimension ${quote(text)}. Use ${known.join(', ')} or metadata.<label>.`,
  )
}

type FilterList = [list: Exclude<keyof UsageFilter, 'metadata'>, values?: readonly string[]]

const LISTS: Readonly<Record<string, FilterList>> = {
  api_key: ['apiKeyIds'],
  provider: ['providers'],
  model: ['models'],
  user: ['users'],
  operation: ['operations', OPERATIONS],
  quality: ['qualities', QUALITIES],
  size: ['sizes'],
  status: ['statuses', TASK_STATUSES],
}

function readFilter(pairs: UsageQueryText['filter']): UsageFilter {
  const filter: Record<string, unknown[]> = {}
  for (const [key, value] of pairs) {
    if (key.startsWith(LABEL)) {
      ;(filter['metadata'] ??= []).push({ key: key.slice(LABEL.length), value })
      continue
    }
    const name = key.toLowerCase().replaceAll('-', '_')
    const known = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined
    if (!known)
      throw badInput(
        'filter',
        `There is no filter ${quote(key)}. Use ${Object.keys(LISTS).join(', ')} or metadata.<label>.`,
      )
    const [list, values] = known
    const item = values ? value.toUpperCase() : value
    if (values && !values.includes(item))
      throw badInput(
        'filter',
        `${name} is ${quote(value)}; it must be one of ${values.join(', ').toLowerCase()}.`,
      )
    ;(filter[list] ??= []).push(item)
  }
  return filter
}

const DATE = /^(\d{4}-\d\d)(-\d\d)?(?:[T ](\d\d:\d\d(?::\d\d)?))?$/

/** By default in the report's time zone. */
function readTime(field: 'from' | 'to', text: string, timeZone: string): number {
  const [, month, day = '-01', time = '00:00'] = DATE.exec(text) ?? []
  const at = Date.parse(month === undefined ? text : `${month}${day}T${time}Z`)
  const isKnownForm = month !== undefined || /^\d{4}-\d\d-\d\dT/.test(text)
  if (Number.isNaN(at) || !isKnownForm)
    throw badInput(
      field,
      `${field} is ${quote(text)}; use a form such as 2026-11, 2026-11-20 or 2026-11-20T08:00:00Z.`,
    )
  const zone = findZone(timeZone)
  // `checkUsageQuery` reports an unknown zone.
  return month === undefined || !zone ? at : momentOf(zone, at)
}

function thisMonth(timeZone: string, now: number): number {
  const zone = findZone(timeZone)
  return zone ? periodOf(zone, 'MONTH', now).startsAt : now
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
