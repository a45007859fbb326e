// An index has the order of one state, label or word only, so a list over several takes the first of each.
import { and, eq, isNotNull, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import { isFinished, TASK_STATUSES } from '../../domain.ts'
import type { Database, Queries } from '../connection/database.ts'
import { seek, type PageRange, type Position } from '../connection/keyset.ts'
import type { TaskRow } from '../tables/tables.ts'
import { isCreated, isFound, labelGroups, matches, type TaskFilter } from './filter.ts'
import { hasWords, seqAt, seqOfTask, type SearchWord } from './words.ts'

export interface TaskOrder {
  /** Without unfinished tasks by FINISHED_AT. */
  field: 'CREATED_AT' | 'FINISHED_AT'
  descending: boolean
}

export const NEWEST_FIRST: TaskOrder = { field: 'CREATED_AT', descending: true }

/** From one range of an index, each task once. */
interface Source {
  id: AnyColumn
  from: SQL
  where: SQL | undefined
  /** Of the index. */
  order: Parameters<typeof seek>[1]
  /** Rows of the range may not match. */
  isScan: boolean
}

export async function listTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  range: PageRange,
  order: TaskOrder = NEWEST_FIRST,
): Promise<TaskRow[]> {
  const { tasks } = q.tables
  const sources = sourcesOf(q, projectId, filter, order)
  const { isInRange, orderBy } = seek(range, orderOf(q, order))
  const read = (which: SQL | undefined) =>
    q.sql
      .select()
      .from(tasks)
      .where(which)
      .orderBy(...orderBy)
      .limit(range.limit)
  const [only] = sources
  if (!only) return []
  const isDirect = sources.length === 1 && only.id === tasks.id
  const firsts = sources.map((source) => sql`select id from (${firstOf(source, range)}) as first`)
  const isFirst = sql`${tasks.id} in (${sql.join(firsts, sql` union all `)})`
  const rows = await read(isDirect ? and(only.where, isInRange) : isFirst)
  return range.fromEnd ? rows.toReversed() : rows
}

function firstOf({ id, from, where, order }: Source, range: PageRange): SQL {
  const { isInRange, orderBy } = seek(range, order)
  const by = sql.join(orderBy, sql`, `)
  return sql`select ${id} as id from ${from} where ${and(where, isInRange)} order by ${by} limit ${range.limit}`
}

export async function countTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Promise<number> {
  const all = sourcesOf(q, projectId, filter, order).map(
    ({ id, from, where }) => sql`select ${id} as id from ${from} where ${where}`,
  )
  if (all.length === 0) return 0
  // A task may have several labels of a group.
  const found = sql`(${sql.join(all, sql` union `)}) as found`
  const [row] = await q.sql.select({ rows: sql`count(*)`.mapWith(Number) }).from(found)
  return row!.rows
}

/** A list that passes over tasks which do not match may read every task of the project. */
export function queriesFor(
  { read, reports }: Pick<Database, 'read' | 'reports'>,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Queries {
  return sourcesOf(read, '', filter, order).some(({ isScan }) => isScan) ? reports : read
}

function orderOf({ tables: { tasks } }: Queries, { field, descending }: TaskOrder) {
  const { id, createdAt, finishedAt } = tasks
  if (field === 'CREATED_AT') return { at: createdAt, id, descending }
  // A position has the time of the creation.
  const boundOf = (one: Position) =>
    sql`((select ended.finished_at from ${tasks} as ended where ended.id = ${one.id}), ${one.id})`
  return { at: finishedAt, id, boundOf, descending }
}

function sourcesOf(q: Queries, projectId: string, filter: TaskFilter, order: TaskOrder): Source[] {
  const { statuses, models, search, metadata, users, apiKeyIds, favorite } = filter
  if (order.field === 'FINISHED_AT') return byStatus(q, projectId, filter, order)
  if (search) return [byWords(q, projectId, filter, order, search)]
  const isSelective = favorite === true || (metadata ?? users ?? apiKeyIds) !== undefined
  const hasOwnIndex = statuses !== undefined || models !== undefined
  const [labels, ...others] = labelGroups(filter)
  if (labels && (isSelective || !hasOwnIndex))
    return labels.map((label) => byLabel(q, projectId, filter, order, label, others))
  return byStatus(q, projectId, filter, order)
}

function byStatus(q: Queries, projectId: string, filter: TaskFilter, order: TaskOrder): Source[] {
  const { tasks } = q.tables
  const { statuses, models, ...rest } = filter
  const isByEnd = order.field === 'FINISHED_AT'
  const all = statuses ?? (isByEnd || models ? TASK_STATUSES : [undefined])
  const listed = isByEnd ? all.filter((status) => status && isFinished(status)) : all
  const groups = labelGroups(filter)
  const { search, createdFrom, createdTo } = rest
  const isOutOfOrder = isByEnd && (search ?? models ?? createdFrom ?? createdTo) !== undefined
  const isMatch = and(matches(q, projectId, rest, groups), isFound(q, projectId, rest))
  return listed.flatMap((status) =>
    (models ?? [undefined]).map((model) => ({
      id: tasks.id,
      from: sql`${tasks}`,
      where: and(
        isMatch,
        status && eq(tasks.status, status),
        model === undefined ? undefined : eq(tasks.model, model),
        isByEnd ? isNotNull(tasks.finishedAt) : undefined,
      ),
      order: orderOf(q, order),
      isScan: groups.length > 0 || isOutOfOrder,
    })),
  )
}

function byLabel(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  { descending }: TaskOrder,
  label: string,
  others: string[][],
): Source {
  const { tasks, taskLabels } = q.tables
  const { createdAt, taskId } = taskLabels
  const { favorite, models, statuses } = filter
  const isScan = others.length > 0 || (statuses ?? models) !== undefined || favorite === false
  const isLabeled = and(
    eq(taskLabels.projectId, projectId),
    eq(taskLabels.label, label),
    isCreated(createdAt, filter),
  )
  return {
    id: taskId,
    // SQLite reads the tables of a cross join in this order.
    from: isScan ? sql`${taskLabels} cross join ${tasks}` : sql`${taskLabels}`,
    where: isScan ? and(isLabeled, eq(tasks.id, taskId), matches(q, projectId, filter, others)) : isLabeled,
    order: { at: createdAt, id: taskId, descending },
    isScan,
  }
}

function byWords(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  { descending }: TaskOrder,
  search: SearchWord[],
): Source {
  const { tasks, taskWords } = q.tables
  const { createdFrom, createdTo, statuses, models } = filter
  const [indexed, others] = partition(labelGroups(filter))
  if (models) indexed.push(models.map((model) => `model:${model}`))
  const { favorite } = filter
  const isRest = others.length > 0 || statuses !== undefined || favorite === false
  const isSqlite = q.dialect === 'sqlite'
  const seq = isSqlite ? sql`task_words_index.rowid` : sql`${taskWords.seq}`
  const index = isSqlite ? sql`task_words_index cross join ${taskWords}` : sql`${taskWords}`
  return {
    id: taskWords.taskId,
    from: isRest ? sql`${index} cross join ${tasks}` : index,
    where: and(
      hasWords(q, projectId, search, indexed),
      isSqlite ? sql`${taskWords.seq} = ${seq}` : undefined,
      isCreated(seq, { createdFrom, createdTo }, seqAt),
      isRest
        ? and(eq(tasks.id, taskWords.taskId), matches(q, projectId, { statuses, favorite }, others))
        : undefined,
    ),
    order: { id: seq, boundOf: (one) => seqOfTask(q, one), descending },
    isScan: true,
  }
}

function partition(groups: string[][]): [indexed: string[][], others: string[][]] {
  return [groups.filter(isIndexed), groups.filter((labels) => !isIndexed(labels))]
}

function isIndexed(labels: string[]): boolean {
  return !labels.some((label) => /^(?:provider|charged|warnings|favorite):/.test(label))
}
