import { and, eq, gt, inArray, sql } from 'drizzle-orm'
import type { TaskEventBody } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
import { insertion, statement } from '../connection/statement.ts'
import { PROVIDERS_KEY } from '../connection/wake-up-keys.ts'
import type { EventRow, TaskRow } from '../tables/tables.ts'

export const taskKey = (taskId: string) => `task:${taskId}`
export const feedKey = (projectId: string) => `feed:${projectId}`

/**
 * Appends to the log of a task and the feed of its project. Call it last: row locks (task, then project) held until
 * the commit give numbers in commit order, so that a reader never misses a smaller one. `lastSeq`: of the task, if the
 * caller has raised it by these events.
 */
export async function appendEvents(
  q: Transaction,
  { id: taskId, projectId }: Pick<TaskRow, 'id' | 'projectId'>,
  bodies: TaskEventBody[],
  at: number,
  lastSeq?: number,
): Promise<void> {
  const count = bodies.length
  if (count === 0) return
  const last = lastSeq ?? (await reserveInLog(q, { id: taskId, count }))[0]?.last
  const [feed] = await reserveInFeed(q, { id: projectId, count })
  if (last === undefined || !feed)
    throw new Error(`Cannot append to the log of ${taskId}: there is no such task or project.`)
  for (const [i, body] of bodies.entries()) {
    const numbers = { seq: last - count + 1 + i, feedSeq: feed.last - count + 1 + i }
    await insertEvent(q, { taskId, projectId, ...numbers, body, at })
  }
  q.wakeUp(taskKey(taskId))
  q.wakeUp(feedKey(projectId))
  if (bodies.some(isAboutQueue)) q.wakeUp(PROVIDERS_KEY)
}

function isAboutQueue({ type }: TaskEventBody): boolean {
  return type !== 'TASK_PROGRESSED' && type !== 'PARTIAL_IMAGE_RECEIVED'
}

const reserveInLog = statement<{ id: string; count: number }, { last: number }[]>('reserve_in_log', (q) => {
  const { tasks } = q.tables
  const lastSeq = sql`${tasks.lastSeq} + ${sql.placeholder('count')}`
  const isTask = eq(tasks.id, sql.placeholder('id'))
  return q.sql.update(tasks).set({ lastSeq }).where(isTask).returning({ last: tasks.lastSeq })
})

const reserveInFeed = statement<{ id: string; count: number }, { last: number }[]>('reserve_in_feed', (q) => {
  const { projects } = q.tables
  const feedSeq = sql`${projects.feedSeq} + ${sql.placeholder('count')}`
  const isProject = eq(projects.id, sql.placeholder('id'))
  return q.sql.update(projects).set({ feedSeq }).where(isProject).returning({ last: projects.feedSeq })
})

const insertEvent = insertion<EventRow, unknown>('event', ({ sql: into, tables: { events } }, values) =>
  into.insert(events).values(values),
)

const eventsOfTask = statement<{ taskId: string; after: number; limit: number }, EventRow[]>(
  'events_of_task',
  (q) => {
    const { events } = q.tables
    const isAfter = and(
      eq(events.taskId, sql.placeholder('taskId')),
      gt(events.seq, sql.placeholder('after')),
    )
    return q.sql.select().from(events).where(isAfter).orderBy(events.seq).limit(sql.placeholder('limit'))
  },
)

/** Oldest first. */
export function listEvents(q: Queries, taskId: string, after: number, limit: number): Promise<EventRow[]> {
  return eventsOfTask(q, { taskId, after, limit })
}

/** Oldest first, by number. */
export function listEventPage(q: Queries, taskId: string, range: PageRange): Promise<EventRow[]> {
  const { events } = q.tables
  return readRange(range, { at: events.seq, id: events.taskId }, (isInRange, orderBy) =>
    q.sql
      .select()
      .from(events)
      .where(and(eq(events.taskId, taskId), isInRange))
      .orderBy(...orderBy)
      .limit(range.limit),
  )
}

export function countEvents(q: Queries, taskId: string): Promise<number> {
  const { events } = q.tables
  return countRows(q, events, eq(events.taskId, taskId))
}

const eventsOfProject = statement<{ projectId: string; after: number; limit: number }, EventRow[]>(
  'events_of_project',
  (q) => {
    const { events } = q.tables
    const ofProject = eq(events.projectId, sql.placeholder('projectId'))
    const isAfter = and(ofProject, gt(events.feedSeq, sql.placeholder('after')))
    return q.sql.select().from(events).where(isAfter).orderBy(events.feedSeq).limit(sql.placeholder('limit'))
  },
)

/** Oldest first. */
export function listFeed(q: Queries, projectId: string, after: number, limit: number): Promise<EventRow[]> {
  return eventsOfProject(q, { projectId, after, limit })
}

/** By task, then number. */
export async function listAllEvents(q: Queries, taskIds: string[]): Promise<EventRow[]> {
  const { events } = q.tables
  const ofTasks = inArray(events.taskId, taskIds)
  return q.sql.select().from(events).where(ofTasks).orderBy(events.taskId, events.seq)
}
