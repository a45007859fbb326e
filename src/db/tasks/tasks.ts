import { and, between, desc, eq, getTableColumns, inArray, isNull, lt, sql, type SQL } from 'drizzle-orm'
import type { Caller, TaskStatus } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { isOneOf } from '../connection/ranges.ts'
import { insertion, rowBy, shaped, statement } from '../connection/statement.ts'
import { isListed, oneOf } from '../tables/kit.ts'
import type { AssetRow, TaskRow, Tables } from '../tables/tables.ts'
import { findClasses, idsOf, isByClass } from './classes.ts'
import { matches, type TaskFilter } from './filter.ts'
import { insertWords, replaceWords } from './words.ts'

export type { TaskFilter } from './filter.ts'
export { countTasks, listTasks, queriesFor } from './list.ts'

export type NewTask = Tables['tasks']['$inferInsert']

/** Undefined for a used idempotency key. */
export async function insertTask(q: Transaction, task: NewTask): Promise<TaskRow | undefined> {
  const [row] = await newTask(q, task)
  if (row) await insertWords(q, row)
  return row
}

const newTask = insertion<NewTask, TaskRow[]>('task', ({ sql: into, tables: { tasks } }, values) =>
  into.insert(tasks).values(values).onConflictDoNothing().returning(),
)

/** Undefined also for a deleted task, and for one of another project. */
export async function findTask(q: Queries, projectId: string, id: string): Promise<TaskRow | undefined> {
  const [row] = await existingTask(q, { projectId, id })
  return row
}

const existingTask = statement<{ projectId: string; id: string }, TaskRow[]>(
  'existing_task',
  ({ sql: from, tables: { tasks } }) => {
    const isTask = and(eq(tasks.projectId, sql.placeholder('projectId')), eq(tasks.id, sql.placeholder('id')))
    return from
      .select()
      .from(tasks)
      .where(and(isTask, isNull(tasks.deletedAt)))
  },
)

/** Also a deleted task. */
export const findTaskByKey = rowBy('tasks', 'projectId', 'idempotencyKey')

/** Of the same length; both inclusive. */
export async function findNewestTaskByKeys(
  q: Queries,
  projectId: string,
  [first, last]: readonly [string, string],
): Promise<TaskRow | undefined> {
  const [row] = await newestByKeys(q, { projectId, first, last })
  return row
}

const newestByKeys = statement<{ projectId: string; first: string; last: string }, TaskRow[]>(
  'newest_task_by_keys',
  (q) => {
    const { tasks } = q.tables
    const isBetween = between(tasks.idempotencyKey, sql.placeholder('first'), sql.placeholder('last'))
    return q.sql
      .select()
      .from(tasks)
      .where(and(eq(tasks.projectId, sql.placeholder('projectId')), isBetween))
      .orderBy(desc(tasks.createdAt), desc(tasks.id))
      .limit(1)
  },
)

const findAnyTask = rowBy('tasks', 'id')

/** Also a deleted task. */
export async function getTask(q: Queries, id: string): Promise<TaskRow> {
  const row = await findAnyTask(q, id)
  if (!row) throw new Error(`There is no task ${id}.`)
  return row
}

/** Also a deleted task. Call it before any lock on an attempt, against deadlocks. */
export async function lockTask(q: Transaction, id: string): Promise<TaskRow> {
  const [row] = await lockedTask(q, { id })
  if (!row) throw new Error(`There is no task ${id}.`)
  return row
}

const lockedTask = statement<{ id: string }, TaskRow[]>('lock_task', (q) =>
  locked(q, eq(q.tables.tasks.id, sql.placeholder('id'))),
)

/** Undefined also for a deleted task, unless `withDeleted`. */
export async function lockTaskOfProject(
  q: Transaction,
  projectId: string,
  id: string,
  { withDeleted = false } = {},
): Promise<TaskRow | undefined> {
  const { tasks } = q.tables
  const [row] = await locked(q, and(eq(tasks.id, id), eq(tasks.projectId, projectId)))
  return row?.deletedAt == null || withDeleted ? row : undefined
}

function locked(q: Queries, which: SQL | undefined) {
  const query = q.sql.select().from(q.tables.tasks).where(which)
  // SQLite has one writer at a time.
  return q.dialect === 'postgresql' ? query.for('update') : query
}

/** Unordered. */
export async function findTasks(
  q: Queries,
  projectId: string,
  ids: string[],
  filter: TaskFilter = {},
): Promise<TaskRow[]> {
  if (Object.keys(filter).length === 0) return existingTasks(q, { projectId, ids: JSON.stringify(ids) })
  const { classTasks, tasks } = q.tables
  const isTask = and(inArray(tasks.id, ids), matches(q, projectId, filter))
  if (!isByClass(filter)) return q.sql.select().from(tasks).where(isTask)
  const classes = await findClasses(q, projectId, filter)
  const isOfClass = isOneOf(q, classTasks.classId, idsOf(classes))
  return q.sql
    .select(getTableColumns(tasks))
    .from(tasks)
    .innerJoin(classTasks, eq(classTasks.taskId, tasks.id))
    .where(and(isTask, isOfClass))
}

const existingTasks = statement<{ projectId: string; ids: string }, TaskRow[]>('existing_tasks', (q) => {
  const { tasks } = q.tables
  const ofProject = eq(tasks.projectId, sql.placeholder('projectId'))
  return q.sql
    .select()
    .from(tasks)
    .where(and(isListed(q, tasks.id, sql.placeholder('ids')), ofProject, isNull(tasks.deletedAt)))
})

/** With an image or the same bytes. Newest first. */
export async function listTasksWithInput(
  q: Queries,
  { projectId, sha256 }: Pick<AssetRow, 'projectId' | 'sha256'>,
  limit: number,
): Promise<TaskRow[]> {
  const { assets, taskInputs, tasks } = q.tables
  const same = q.sql
    .select({ id: assets.id })
    .from(assets)
    .where(and(eq(assets.sha256, sha256), eq(assets.projectId, projectId)))
  const users = q.sql
    .select({ id: taskInputs.taskId })
    .from(taskInputs)
    .where(inArray(taskInputs.assetId, same))
  return q.sql
    .select()
    .from(tasks)
    .where(inArray(tasks.id, users))
    .orderBy(desc(tasks.createdAt), desc(tasks.id))
    .limit(limit)
}

/** Undefined if the status is not in `from`. `events`: how many numbers to reserve in its log, up to `lastSeq`. */
export async function updateTask(
  q: Transaction,
  id: string,
  from: readonly TaskStatus[],
  set: TaskChange,
): Promise<TaskRow | undefined> {
  const [row] = await changedTask(q, { ...set, taskId: id }, from)
  return row
}

/** Without an event; raises the revision. */
export async function changeLabels(
  q: Transaction,
  { id, changes }: Pick<TaskRow, 'id' | 'changes'>,
  set: Partial<Pick<TaskRow, 'favorite' | 'request'>>,
): Promise<TaskRow> {
  const { tasks } = q.tables
  const [row] = await q.sql
    .update(tasks)
    .set({ ...set, changes: changes + 1 })
    .where(eq(tasks.id, id))
    .returning()
  if (set.request) await replaceWords(q, row!)
  return row!
}

/** Raises the revision without an event. */
export async function countChange(q: Transaction, id: string): Promise<void> {
  const { tasks } = q.tables
  await q.sql
    .update(tasks)
    .set({ changes: sql`${tasks.changes} + 1` })
    .where(eq(tasks.id, id))
}

type TaskChange = Partial<Omit<NewTask, 'id' | 'chargesOpen' | 'lastSeq'>> & { events?: number }

const changedTask = shaped<TaskChange & { taskId: string }, readonly TaskStatus[], TaskRow[]>(
  'update_task',
  ({ sql: builder, tables: { tasks } }, { taskId, events, ...set }, from) =>
    builder
      .update(tasks)
      .set({
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder is encoded as a value of its column
        ...(set as unknown as Omit<TaskChange, 'events'>),
        ...(events && { lastSeq: sql`${tasks.lastSeq} + ${events}` }),
      })
      .where(and(eq(tasks.id, taskId), inArray(tasks.status, from)))
      .returning(),
)

/**
 * With numbers for `events` in the log of the task; returns the last. Undefined if all permits are taken, or the task is
 * canceled or has ended.
 */
export async function takePermit(
  q: Transaction,
  taskId: string,
  { now, events }: { now: number; events: number },
): Promise<number | undefined> {
  const [row] = await takenPermit(q, { taskId, now, events })
  return row?.lastSeq
}

type PermitValues = { taskId: string; now: number; events: number }

const takenPermit = statement<PermitValues, { lastSeq: number }[]>('take_permit', (q) => {
  const { tasks } = q.tables
  return q.sql
    .update(tasks)
    .set({
      chargesOpen: sql`${tasks.chargesOpen} + 1`,
      status: 'RUNNING',
      startedAt: sql`coalesce(${tasks.startedAt}, ${sql.placeholder('now')})`,
      lastSeq: sql`${tasks.lastSeq} + ${sql.placeholder('events')}`,
    })
    .where(
      and(
        eq(tasks.id, sql.placeholder('taskId')),
        lt(tasks.chargesOpen, sql`${tasks.maxCharges} * ${tasks.parts}`),
        sql`${tasks.cancelRequestedAt} is null`,
        inArray(tasks.status, ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN']),
      ),
    )
    .returning({ lastSeq: tasks.lastSeq })
})

/** The attempt certainly cost nothing. */
export async function returnPermit(q: Transaction, taskId: string): Promise<void> {
  const { tasks } = q.tables
  const chargesOpen = sql`${tasks.chargesOpen} - 1`
  await q.sql.update(tasks).set({ chargesOpen }).where(eq(tasks.id, taskId))
}

/** Queued or running; 0 without a key. */
export interface OpenTasks {
  ofProject: number
  ofKey: number
}

/** Up to `max`, which bounds the cost. */
export async function countOpenTasks(
  q: Queries,
  { projectId, apiKeyId }: Caller,
  max: number,
): Promise<OpenTasks> {
  const [row] = await openTasks(q, { projectId, apiKeyId: apiKeyId ?? '', max })
  return row ?? { ofProject: 0, ofKey: 0 }
}

const openTasks = statement<{ projectId: string; apiKeyId: string; max: number }, OpenTasks[]>(
  'open_tasks',
  (q) => {
    const { tasks } = q.tables
    const isOpen = oneOf(tasks.status, ['QUEUED', 'RUNNING'])
    const countOf = (owner: SQL) =>
      sql`(select count(*) from (select 1 from ${tasks} where ${owner} and ${isOpen} and ${isNull(tasks.deletedAt)} limit ${sql.placeholder('max')}) as open)`
    const ofProject = countOf(sql`${tasks.projectId} = ${sql.placeholder('projectId')}`)
    const ofKey = countOf(sql`${tasks.apiKeyId} = ${sql.placeholder('apiKeyId')}`)
    return q.sql
      .select({ ofProject: sql`of_project`.mapWith(Number), ofKey: sql`of_key`.mapWith(Number) })
      .from(sql`(select ${ofProject} as of_project, ${ofKey} as of_key) as counts`)
  },
)
