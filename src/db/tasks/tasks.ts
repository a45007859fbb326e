import { and, desc, eq, exists, inArray, lt, or, sql, type SQL } from 'drizzle-orm'
import type { Operation, TaskStatus } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, statement } from '../connection/statement.ts'
import type { TaskRow, Tables } from '../tables/tables.ts'

export type NewTask = Tables['tasks']['$inferInsert']

/** Which tasks to list; a field left out does not restrict. */
export interface TaskFilter {
  statuses?: TaskStatus[] | undefined
  operation?: Operation | undefined
  model?: string | undefined
  provider?: string | undefined
  /** Moments, inclusive and exclusive. */
  createdFrom?: number | undefined
  createdTo?: number | undefined
}

/** Inserts a task; undefined when its idempotency key is taken already. */
export async function insertTask(q: Transaction, task: NewTask): Promise<TaskRow | undefined> {
  const [row] = await newTask(q, task)
  return row
}

const newTask = insertion<NewTask, TaskRow[]>('task', ({ sql: into, tables: { tasks } }, values) =>
  into.insert(tasks).values(values).onConflictDoNothing().returning(),
)

const taskById = statement<{ id: string; projectId: string }, TaskRow[]>(
  'task_by_id',
  ({ sql: from, tables: { tasks } }) =>
    from
      .select()
      .from(tasks)
      .where(and(eq(tasks.id, sql.placeholder('id')), eq(tasks.projectId, sql.placeholder('projectId')))),
)

/** A task of a project; undefined when there is none, or when it is another project's. */
export async function findTask(q: Queries, projectId: string, id: string): Promise<TaskRow | undefined> {
  const [row] = await taskById(q, { projectId, id })
  return row
}

const taskOfWorker = statement<{ id: string }, TaskRow[]>(
  'task_of_worker',
  ({ sql: from, tables: { tasks } }) =>
    from
      .select()
      .from(tasks)
      .where(eq(tasks.id, sql.placeholder('id'))),
)

/** A task of whichever project, for the engine's own work. Throws when there is none. */
export async function getTask(q: Queries, id: string): Promise<TaskRow> {
  const [row] = await taskOfWorker(q, { id })
  if (!row) throw new Error(`There is no task ${id}.`)
  return row
}

/**
 * The same, locked until the transaction ends: others who want to settle, cancel or retry this task wait. Take it before
 * any lock on an attempt, so that two transactions never wait for each other.
 */
export async function lockTask(q: Transaction, id: string): Promise<TaskRow> {
  const row = await findLocked(q, eq(q.tables.tasks.id, id))
  if (!row) throw new Error(`There is no task ${id}.`)
  return row
}

/** A task of a project, locked in the same way; undefined when there is none, or when it is another project's. */
export function lockTaskOfProject(
  q: Transaction,
  projectId: string,
  id: string,
): Promise<TaskRow | undefined> {
  const { tasks } = q.tables
  return findLocked(q, and(eq(tasks.id, id), eq(tasks.projectId, projectId)))
}

async function findLocked(q: Transaction, which: SQL | undefined): Promise<TaskRow | undefined> {
  const query = q.sql.select().from(q.tables.tasks).where(which)
  // SQLite has one writer at a time, and no such clause.
  const [row] = await (q.dialect === 'postgresql' ? query.for('update') : query)
  return row
}

/** Those of some tasks of a project that pass a filter, in no order. */
export async function findTasks(
  q: Queries,
  projectId: string,
  ids: string[],
  filter: TaskFilter = {},
): Promise<TaskRow[]> {
  const { tasks } = q.tables
  return q.sql
    .select()
    .from(tasks)
    .where(and(inArray(tasks.id, ids), eq(tasks.projectId, projectId), ...conditions(q, filter)))
}

export async function findTaskByKey(
  q: Queries,
  projectId: string,
  key: string,
): Promise<TaskRow | undefined> {
  const { tasks } = q.tables
  const [row] = await q.sql
    .select()
    .from(tasks)
    .where(and(eq(tasks.projectId, projectId), eq(tasks.idempotencyKey, key)))
  return row
}

/** A page of tasks, newest first, after a place in that order. Asks for one more than `first` to see if more follow. */
export async function listTasks(
  q: Queries,
  projectId: string,
  filter: TaskFilter,
  page: { first: number; after?: { createdAt: number; id: string } | undefined },
): Promise<TaskRow[]> {
  const { tasks } = q.tables
  const { after } = page
  return q.sql
    .select()
    .from(tasks)
    .where(
      and(
        eq(tasks.projectId, projectId),
        after &&
          or(
            lt(tasks.createdAt, after.createdAt),
            and(eq(tasks.createdAt, after.createdAt), lt(tasks.id, after.id)),
          ),
        ...conditions(q, filter),
      ),
    )
    .orderBy(desc(tasks.createdAt), desc(tasks.id))
    .limit(page.first + 1)
}

/** Sets columns of a task that stands in one of the statuses; undefined when it does not. */
export async function updateTask(
  q: Transaction,
  id: string,
  from: readonly TaskStatus[],
  set: Partial<Omit<NewTask, 'chargesOpen' | 'maxCharges'>> &
    Partial<Record<'chargesOpen' | 'maxCharges', number | SQL>>,
): Promise<TaskRow | undefined> {
  const { tasks } = q.tables
  const [row] = await q.sql
    .update(tasks)
    .set(set)
    .where(and(eq(tasks.id, id), inArray(tasks.status, [...from])))
    .returning()
  return row
}

/**
 * Takes a charge permit: the right to make one more possible charge for a task. False when those of all its parts are
 * taken, the owner wants it stopped, or it has ended. The permit comes back with `returnPermit`.
 */
export async function takePermit(q: Transaction, taskId: string, now: number): Promise<boolean> {
  const { tasks } = q.tables
  const rows = await q.sql
    .update(tasks)
    .set({
      chargesOpen: sql`${tasks.chargesOpen} + 1`,
      status: 'RUNNING',
      startedAt: sql`coalesce(${tasks.startedAt}, ${now})`,
    })
    .where(
      and(
        eq(tasks.id, taskId),
        lt(tasks.chargesOpen, sql`${tasks.maxCharges} * ${tasks.parts}`),
        sql`${tasks.cancelRequestedAt} is null`,
        inArray(tasks.status, ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN']),
      ),
    )
    .returning({ id: tasks.id })
  return rows.length === 1
}

/** Gives a permit back: the attempt it was for certainly cost nothing. */
export async function returnPermit(q: Transaction, taskId: string): Promise<void> {
  const { tasks } = q.tables
  await q.sql
    .update(tasks)
    .set({ chargesOpen: sql`${tasks.chargesOpen} - 1` })
    .where(eq(tasks.id, taskId))
}

function conditions(q: Queries, filter: TaskFilter): (SQL | undefined)[] {
  const { tasks, attempts } = q.tables
  return [
    filter.statuses && inArray(tasks.status, filter.statuses),
    filter.operation && eq(tasks.operation, filter.operation),
    filter.model === undefined ? undefined : eq(tasks.model, filter.model),
    filter.createdFrom === undefined ? undefined : sql`${tasks.createdAt} >= ${filter.createdFrom}`,
    filter.createdTo === undefined ? undefined : lt(tasks.createdAt, filter.createdTo),
    filter.provider === undefined
      ? undefined
      : exists(
          q.sql
            .select({ id: attempts.id })
            .from(attempts)
            .where(and(eq(attempts.taskId, tasks.id), eq(attempts.provider, filter.provider))),
        ),
  ]
}
