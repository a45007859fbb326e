import { and, sql, type SQL } from 'drizzle-orm'
import type { Database, Queries } from '../connection/database.ts'
import { seek, type PageRange } from '../connection/keyset.ts'
import type { TaskRow } from '../tables/tables.ts'
import type { TaskFilter } from './filter.ts'
import { anySources, chooseSources, orderOf, partsOfWords, type Source, type TaskOrder } from './sources.ts'

export type { TaskOrder } from './sources.ts'

export const NEWEST_FIRST: TaskOrder = { field: 'CREATED_AT', descending: true }

export async function listTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  range: PageRange,
  order: TaskOrder = NEWEST_FIRST,
): Promise<TaskRow[]> {
  const list = { projectId, filter, order }
  const sources = await chooseSources(q, list, range)
  const [only] = sources
  if (!only) return []
  const isByWords =
    q.dialect === 'postgresql' && sources.length === 1 && only.id === q.tables.taskWords.taskId
  const parts = isByWords && !only.order.at ? partsOfWords(q, list, only, range) : []
  for (const part of parts) {
    const rows = await readFirst(q, [part], range, order)
    if (rows.length === range.limit || part === parts.at(-1)) return rows
  }
  return readFirst(q, sources, range, order)
}

/** In the order of the list. */
async function readFirst(
  q: Queries,
  sources: readonly Source[],
  range: PageRange,
  order: TaskOrder,
): Promise<TaskRow[]> {
  const { tasks } = q.tables
  const { isInRange, orderBy } = seek(range, orderOf(q, order))
  const [only] = sources
  const isDirect = sources.length === 1 && only!.id === tasks.id
  const firsts = sources.map((source) => sql`select id from (${firstOf(source, range)}) as first`)
  const isFirst = sql`${tasks.id} in (${sql.join(firsts, sql` union all `)})`
  const rows = await q.sql
    .select()
    .from(tasks)
    .where(isDirect ? and(only!.range, only!.rest, isInRange) : isFirst)
    .orderBy(...orderBy)
    .limit(range.limit)
  return range.fromEnd ? rows.toReversed() : rows
}

function firstOf({ id, from, range: isInSource, rest, order }: Source, range: PageRange): SQL {
  const { isInRange, orderBy } = seek(range, order)
  const by = sql.join(orderBy, sql`, `)
  return sql`select ${id} as id from ${from} where ${and(isInSource, rest, isInRange)} order by ${by} limit ${range.limit}`
}

export async function countTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Promise<number> {
  const all = anySources(q, { projectId, filter, order }).map(
    ({ id, from, range, rest }) => sql`select ${id} as id from ${from} where ${and(range, rest)}`,
  )
  if (all.length === 0) return 0
  // A task may have several labels of a group.
  const found = sql`(${sql.join(all, sql` union `)}) as found`
  const [row] = await q.sql.select({ rows: sql`count(*)`.mapWith(Number) }).from(found)
  return row!.rows
}

/** A list that passes over many tasks may read every task of the project. */
export function queriesFor(
  { read, reports }: Pick<Database, 'read' | 'reports'>,
  filter: TaskFilter,
  order: TaskOrder = NEWEST_FIRST,
): Queries {
  const sources = anySources(read, { projectId: '', filter, order })
  return filter.search || sources.some(({ rest }) => rest) ? reports : read
}
