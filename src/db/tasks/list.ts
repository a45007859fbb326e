// A list has up to two kinds of conditions, each with an index that has the order of the list: texts (words and labels),
// and classes. With both, few tasks with the text are sorted, or else tasks of the classes are compared with it.
import { and, inArray, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import type { Database, Queries } from '../connection/database.ts'
import { seek, type PageRange, type Position } from '../connection/keyset.ts'
import type { TaskRow } from '../tables/tables.ts'
import { findClasses, idsOf, isByClass, LONG_MS, timeInClasses, type TaskClass } from './classes.ts'
import { hasText, isCreated, matches, type TaskFilter } from './filter.ts'
import { isOneOf, readRanges, readRows, type Ranges } from '../connection/ranges.ts'
import { textsOf, type Texts } from './texts.ts'

export interface TaskOrder {
  /** Without unfinished tasks by FINISHED_AT. */
  field: 'CREATED_AT' | 'FINISHED_AT'
  descending: boolean
}

export const NEWEST_FIRST: TaskOrder = { field: 'CREATED_AT', descending: true }

/** The tasks of a list, and their order. */
interface List {
  projectId: string
  filter: TaskFilter
  order: TaskOrder
}

export async function listTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  range: PageRange,
  order: TaskOrder = NEWEST_FIRST,
): Promise<TaskRow[]> {
  const { tasks } = q.tables
  const own = order.field === 'FINISHED_AT' ? await byEnd(q, range) : range
  if (!own) return []
  return readRows(
    own,
    (left) => listPlaces(q, { projectId, filter, order }, left),
    (ids) =>
      q.sql
        .select()
        .from(tasks)
        .where(and(inArray(tasks.id, ids), isNull(tasks.deletedAt))),
  )
}

/** Positions have the time of the creation. Undefined if one is not of a finished task. */
async function byEnd(q: Queries, { after, before, ...range }: PageRange): Promise<PageRange | undefined> {
  const { id, finishedAt } = q.tables.tasks
  const given = [after, before].flatMap((one) => one?.id ?? [])
  if (given.length === 0) return range
  const rows = await q.sql.select({ id, at: finishedAt }).from(q.tables.tasks).where(inArray(id, given))
  const ends = new Map(rows.flatMap(({ id: of, at }) => (at === null ? [] : [[of, { id: of, at }] as const])))
  if (given.some((one) => !ends.has(one))) return undefined
  return { ...range, after: after && ends.get(after.id), before: before && ends.get(before.id) }
}

/** In the order in which the page is read. */
async function listPlaces(q: Queries, list: List, range: PageRange): Promise<Position[]> {
  const { projectId, filter, order } = list
  const texts = textsOf(q, projectId, filter)
  const classes = await classesOf(q, list, texts)
  if (!classes) return texts ? texts.read(range, order.descending) : newest(q, list, range)
  const isByEnd = order.field === 'FINISHED_AT'
  const isFalling = order.descending !== (range.fromEnd ?? false)
  const period = await texts?.periodOfMany(range.fromEnd ? range.before : range.after, isFalling)
  if (texts && period === null) return sortTexts(q, list, texts, classes, range)
  return readClasses(q, { ...list, filter: { ...filter, ...period } }, classes, range, isByEnd)
}

/** Undefined if they do not restrict the list. */
async function classesOf(
  q: Queries,
  { projectId, filter, order }: List,
  texts: Texts | undefined,
): Promise<TaskClass[] | undefined> {
  const own = texts?.isWithRequest ? { ...filter, operation: undefined, models: undefined } : filter
  const isByEnd = order.field === 'FINISHED_AT'
  return isByEnd || isByClass(own) ? findClasses(q, projectId, own, isByEnd) : undefined
}

async function newest(
  q: Queries,
  { projectId, filter, order: { descending } }: List,
  range: PageRange,
): Promise<Position[]> {
  const { tasks } = q.tables
  const { createdAt: at, id } = tasks
  const { isInRange, orderBy } = seek(range, { at, id, descending })
  return q.sql
    .select({ at, id })
    .from(tasks)
    .where(and(matches(q, projectId, filter), isInRange))
    .orderBy(...orderBy)
    .limit(range.limit)
}

async function readClasses(
  q: Queries,
  { projectId, filter, order: { descending } }: List,
  classes: readonly TaskClass[],
  range: PageRange,
  isByEnd: boolean,
): Promise<Position[]> {
  const { classTasks } = q.tables
  const { classId: key, createdAt, finishedAt, taskId: id } = classTasks
  const { createdFrom: from, createdTo: to } = filter
  const hasTexts = hasText(q, projectId, filter, createdAt, id)
  const ranges = { from: sql`${classTasks}`, key, id }
  if (!isByEnd) {
    const created = { ...ranges, keys: idsOf(classes), at: createdAt, period: { from, to }, rest: hasTexts }
    return readRanges(q, created, descending, range)
  }
  const rest = and(hasTexts, isCreated(createdAt, filter))
  const read = (some: readonly TaskClass[], period: Ranges['period']) =>
    readRanges(
      q,
      { ...ranges, keys: idsOf(some), at: finishedAt, period, isIn: isNotNull(finishedAt), rest },
      descending,
      range,
    )
  if ((from ?? to) === undefined) return read(classes, {})
  // The period of the creation bounds the end, but for the few long tasks.
  const usual = classes.filter(({ isLong }) => !isLong)
  const long = classes.filter(({ isLong }) => isLong)
  const rows = [
    ...(await read(usual, { from, to: to === undefined ? undefined : to + LONG_MS })),
    ...(await read(long, {})),
  ]
  const sign = descending === (range.fromEnd ?? false) ? 1 : -1
  return rows.toSorted((a, b) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1))).slice(0, range.limit)
}

async function sortTexts(
  q: Queries,
  { order }: List,
  { taskId, from, where }: Texts,
  classes: readonly TaskClass[],
  range: PageRange,
): Promise<Position[]> {
  const { createdAt, finishedAt } = q.tables.classTasks
  const time = timeInClasses(q, classes, order.field === 'FINISHED_AT' ? finishedAt : createdAt, taskId)
  const [at, id] = [sql`at`, sql`id`]
  const { isInRange, orderBy } = seek(range, { at, id, descending: order.descending })
  // Materialized: else PostgreSQL looks the time up again for each comparison.
  const found = sql`with found as materialized (select ${taskId} as id, ${time} as at from ${from} where ${where})`
  const page = sql`(${found} select id, at from found where ${and(isNotNull(at), isInRange)} order by ${sql.join(orderBy, sql`, `)} limit ${range.limit}) as page`
  return q.sql.select({ at: at.mapWith(Number), id: sql<string>`id` }).from(page)
}

export async function countTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Promise<number> {
  const texts = textsOf(q, projectId, filter)
  const classes = await classesOf(q, { projectId, filter, order }, texts)
  const { classTasks, tasks } = q.tables
  const counted = async (from: SQL, where: SQL | undefined) => {
    const [row] = await q.sql
      .select({ rows: sql`count(*)`.mapWith(Number) })
      .from(sql`(select 1 from ${from} where ${where}) as found`)
    return row!.rows
  }
  if (!classes) return texts ? texts.count() : counted(sql`${tasks}`, matches(q, projectId, filter))
  if (!texts)
    return counted(
      sql`${classTasks}`,
      and(isOneOf(q, classTasks.classId, idsOf(classes)), isCreated(classTasks.createdAt, filter)),
    )
  const isOfClass = isNotNull(timeInClasses(q, classes, classTasks.createdAt, texts.taskId))
  return counted(texts.from, and(texts.where, isOfClass))
}

/** A list that passes over many tasks may read every task of the project. */
export function queriesFor(
  { read, reports }: Pick<Database, 'read' | 'reports'>,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Queries {
  const texts = textsOf(read, '', filter)
  const isBounded = !texts || (!texts.isWithRequest && order.field === 'CREATED_AT' && !isByClass(filter))
  return isBounded ? read : reports
}
