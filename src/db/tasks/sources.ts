// Where a list of tasks is read from: ranges of indexes. An index has the order of one state, label or word only. With
// several conditions, the range of the rarest is read, and the others are looked up for each task.
import { and, eq, isNotNull, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import { isFinished, TASK_STATUSES } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { seek, type PageRange, type Position } from '../connection/keyset.ts'
import {
  hasLabel,
  isCreated,
  isFound,
  isOfMatchingTask,
  labelGroups,
  matches,
  type TaskFilter,
} from './filter.ts'
import { hasWords, seqAt, seqOfTask, type SearchWord } from './words.ts'

export interface TaskOrder {
  /** Without unfinished tasks by FINISHED_AT. */
  field: 'CREATED_AT' | 'FINISHED_AT'
  descending: boolean
}

/** Tasks from one range of an index, each once. */
export interface Source {
  id: AnyColumn
  from: SQL
  range: SQL | undefined
  /** Conditions that the index does not cover. */
  rest: SQL | undefined
  /** Of the index, or a sort of a short range. */
  order: Parameters<typeof seek>[1]
}

/** The tasks of a list, and their order. */
export interface List {
  projectId: string
  filter: TaskFilter
  order: TaskOrder
}

/** Conditions are compared by the position of this match: the farther it is, the rarer they are. */
const SAMPLE = 256
/** In a list by end, a range of at most so many tasks is sorted. */
const MAX_SORTED = 5_000

/** The ranges with the fewest rows to read for the page. */
export async function chooseSources(q: Queries, list: List, range: PageRange): Promise<Source[]> {
  const { filter, order } = list
  const groups = labelGroups(filter)
  const leads: { labels?: string[]; sources: Source[] }[] = groups.map((labels) => ({
    labels,
    sources: labels.map((label) => byLabel(q, list, label, [])),
  }))
  if (order.field === 'FINISHED_AT') {
    if (filter.search) leads.push({ sources: [byWords(q, list, filter.search)] })
    const isShort = await distancesOf(q, leads, MAX_SORTED, { limit: 1 })
    const short = leads.find((_, i) => isShort[i] === Infinity)
    return short ? short.sources.map((source) => sorted(q, list, source)) : byStatus(q, list, groups)
  }
  if (filter.search) return [byWords(q, list, filter.search)]
  if (filter.statuses ?? filter.models ?? (leads.length === 0 || undefined))
    leads.push({ sources: byStatus(q, list, groups) })
  if (leads.length === 1) return leads[0]!.sources
  const distances = await distancesOf(q, leads, SAMPLE, range)
  const byRarity = leads
    .map((lead, i) => ({ ...lead, distance: distances[i]! }))
    .toSorted((a, b) => (a.distance < b.distance ? 1 : -1))
  const labels = byRarity[0]?.labels
  const rest = byRarity.slice(1).flatMap((lead) => (lead.labels ? [lead.labels] : []))
  return labels ? labels.map((label) => byLabel(q, list, label, rest)) : byStatus(q, list, rest)
}

/** Ranges of the whole list. */
export function anySources(q: Queries, list: List): Source[] {
  const { filter, order } = list
  if (order.field === 'CREATED_AT' && filter.search) return [byWords(q, list, filter.search)]
  const [labels, ...others] = labelGroups(filter)
  const isByLabel = order.field === 'CREATED_AT' && labels !== undefined
  return isByLabel
    ? labels.map((label) => byLabel(q, list, label, others))
    : byStatus(q, list, labelGroups(filter))
}

/** The position of the `nth` match from the start of the page; Infinity with fewer matches. */
async function distancesOf(
  q: Queries,
  leads: readonly { sources: Source[] }[],
  nth: number,
  range: PageRange,
): Promise<number[]> {
  const all = leads.flatMap(({ sources }) => sources)
  if (all.length === 0) return leads.map(() => Infinity)
  const nths = all.map((source) => nthOf(source, nth, range))
  const fields = Object.fromEntries(
    nths.map((value, i) => [`n${i}`, sql<number | string | null>`(${value})`]),
  )
  const [row] = await q.sql.select(fields).from(sql`(select 1) as one`)
  const isDescending = all.some(({ order }) => order.descending !== (range.fromEnd ?? false))
  const found = Object.values(row!).map((at) =>
    at === null ? Infinity : isDescending ? -Number(at) : Number(at),
  )
  return leads.map(({ sources }) => Math.min(Infinity, ...found.splice(0, sources.length)))
}

function nthOf({ from, range: isInSource, order }: Source, nth: number, range: PageRange): SQL {
  const { isInRange, orderBy } = seek(range, order)
  const by = sql.join(orderBy, sql`, `)
  return sql`select ${order.at ?? order.id} from ${from} where ${and(isInSource, isInRange)} order by ${by} limit 1 offset ${nth - 1}`
}

export function orderOf({ tables: { tasks } }: Queries, { field, descending }: TaskOrder) {
  const { id, createdAt, finishedAt } = tasks
  if (field === 'CREATED_AT') return { at: createdAt, id, descending }
  // A position has the time of the creation.
  const boundOf = (one: Position) =>
    sql`((select ended.finished_at from ${tasks} as ended where ended.id = ${one.id}), ${one.id})`
  return { at: finishedAt, id, boundOf, descending }
}

function byStatus(q: Queries, { projectId, filter, order }: List, groups: string[][]): Source[] {
  const { tasks } = q.tables
  const { statuses, models, search, createdFrom, createdTo } = filter
  const isByEnd = order.field === 'FINISHED_AT'
  const all = statuses ?? (isByEnd || models ? TASK_STATUSES : [undefined])
  const listed = isByEnd ? all.filter((status) => status && isFinished(status)) : all
  const isOutOfOrder = isByEnd && (models ?? createdFrom ?? createdTo) !== undefined
  const labels = groups.map((group) => hasLabel(q, projectId, group, tasks.createdAt, tasks.id))
  const rest = and(...labels, search && isFound(q, projectId, filter), isOutOfOrder ? sql`true` : undefined)
  const isOfProject = matches(q, projectId, { createdFrom, createdTo, favorite: filter.favorite }, [])
  return listed.flatMap((status) =>
    (models ?? [undefined]).map((model) => ({
      id: tasks.id,
      from: sql`${tasks}`,
      range: and(
        isOfProject,
        status && eq(tasks.status, status),
        model === undefined ? undefined : eq(tasks.model, model),
        isByEnd ? isNotNull(tasks.finishedAt) : undefined,
      ),
      rest,
      order: orderOf(q, order),
    })),
  )
}

function byLabel(
  q: Queries,
  { projectId, filter, order: { descending } }: List,
  label: string,
  others: string[][],
): Source {
  const { createdAt, taskId, ...own } = q.tables.taskLabels
  const { favorite, models, statuses } = filter
  const isOfTask = statuses ?? models ?? (favorite === false || undefined)
  return {
    id: taskId,
    from: sql`${q.tables.taskLabels}`,
    range: and(eq(own.projectId, projectId), eq(own.label, label), isCreated(createdAt, filter)),
    rest: and(
      ...others.map((labels) => hasLabel(q, projectId, labels, createdAt, taskId)),
      isOfTask && isOfMatchingTask(q, projectId, taskId, { statuses, models, favorite }, []),
    ),
    order: { at: createdAt, id: taskId, descending },
  }
}

/** SQLite returns full-text matches in the order of row ids. */
function byWords(q: Queries, { projectId, filter, order }: List, search: SearchWord[]): Source {
  const { taskWords } = q.tables
  const { createdFrom, createdTo, statuses, models, favorite } = filter
  const groups = labelGroups(filter)
  const others = groups.filter((labels) => !isIndexed(labels))
  const indexed = [...groups.filter(isIndexed), ...(models ? [models.map((model) => `model:${model}`)] : [])]
  const isRest = others.length > 0 || statuses !== undefined || favorite === false
  const isSqlite = q.dialect === 'sqlite'
  const seq = isSqlite ? sql`task_words_index.rowid` : sql`${taskWords.seq}`
  return {
    id: taskWords.taskId,
    from: isSqlite ? sql`task_words_index cross join ${taskWords}` : sql`${taskWords}`,
    range: and(
      hasWords(q, projectId, search, indexed),
      isSqlite ? sql`${taskWords.seq} = ${seq}` : undefined,
      isCreated(seq, { createdFrom, createdTo }, (at) => asSeq(q, sql`${seqAt(at)}`)),
    ),
    rest: isRest
      ? isOfMatchingTask(q, projectId, taskWords.taskId, { statuses, favorite }, others)
      : undefined,
    order: { id: seq, boundOf: (one) => asSeq(q, seqOfTask(q, one)), descending: order.descending },
  }
}

/** SQLite's full-text index seeks only integers; large parameters are bound as REAL. */
function asSeq({ dialect }: Queries, value: SQL): SQL {
  return dialect === 'sqlite' ? sql`cast(${value} as integer)` : value
}

const PART = 5_000

/**
 * Of `byWords` on PostgreSQL: first in the order of the list among the nearest tasks, which finds frequent words, then
 * all matches of the full-text index, sorted. The planner does not know which words occur together.
 */
export function partsOfWords(q: Queries, { filter }: List, source: Source, range: PageRange): Source[] {
  const { taskWords } = q.tables
  const { isInRange, orderBy } = seek(range, source.order)
  const isNear = and(isInRange, isCreated(taskWords.seq, filter, seqAt)) ?? sql`true`
  const nearest = sql`select * from ${taskWords} where ${isNear} order by ${sql.join(orderBy, sql`, `)} limit ${PART}`
  return [
    { ...source, from: sql`(${nearest}) as task_words` },
    // Not the bare column, whose index would be read.
    { ...source, order: { ...source.order, id: sql`${taskWords.seq} + 0` } },
  ]
}

/** A short range, in the order of the end. */
function sorted(q: Queries, { projectId, filter, order }: List, source: Source): Source {
  const { tasks } = q.tables
  const isByWords = source.id === q.tables.taskWords.taskId
  const isMatch = and(matches(q, projectId, filter), isByWords ? undefined : isFound(q, projectId, filter))
  return {
    ...source,
    from: sql`${source.from} cross join ${tasks}`,
    range: and(source.range, eq(tasks.id, source.id)),
    rest: and(isMatch, isNotNull(tasks.finishedAt)),
    order: orderOf(q, order),
  }
}

/** Labels that do not change, and models. */
function isIndexed(labels: string[]): boolean {
  return !labels.some((label) => /^(?:provider|charged|warnings|favorite):/.test(label))
}
