import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { TaskEventBody } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, statement } from '../connection/statement.ts'
import type { EventRow, TaskRow } from '../tables/tables.ts'

/** Wake-up keys of a task's log and of a project's feed. */
export const taskKey = (taskId: string) => `task:${taskId}`
export const feedKey = (projectId: string) => `feed:${projectId}`

/**
 * Appends to a task's log and to its project's feed. Call it last in a transaction: it takes both numbers under a row
 * lock (the task's, then the project's) that is held until the commit. So order of number is order of commit, and a
 * reader that has read number n never meets a smaller one later.
 */
export async function appendEvents(
  q: Transaction,
  task: Pick<TaskRow, 'id' | 'projectId'>,
  bodies: TaskEventBody[],
  at: number,
): Promise<void> {
  const count = bodies.length
  const [log] = await reserveInLog(q, { id: task.id, count })
  const [feed] = await reserveInFeed(q, { id: task.projectId, count })
  if (!log || !feed)
    throw new Error(`Cannot append to the log of ${task.id}: there is no such task or project.`)
  for (const [i, body] of bodies.entries()) {
    const numbers = { seq: log.last - count + 1 + i, feedSeq: feed.last - count + 1 + i }
    await insertEvent(q, { taskId: task.id, projectId: task.projectId, ...numbers, body, at })
  }
  q.wakeUp(taskKey(task.id))
  q.wakeUp(feedKey(task.projectId))
}

const reserveInLog = statement<{ id: string; count: number }, { last: number }[]>(
  'reserve_in_log',
  ({ sql: on, tables: { tasks } }) =>
    on
      .update(tasks)
      .set({ lastSeq: sql`${tasks.lastSeq} + ${sql.placeholder('count')}` })
      .where(eq(tasks.id, sql.placeholder('id')))
      .returning({ last: tasks.lastSeq }),
)

const reserveInFeed = statement<{ id: string; count: number }, { last: number }[]>(
  'reserve_in_feed',
  ({ sql: on, tables: { projects } }) =>
    on
      .update(projects)
      .set({ feedSeq: sql`${projects.feedSeq} + ${sql.placeholder('count')}` })
      .where(eq(projects.id, sql.placeholder('id')))
      .returning({ last: projects.feedSeq }),
)

const insertEvent = insertion<EventRow, unknown>('event', ({ sql: into, tables: { events } }, values) =>
  into.insert(events).values(values),
)

const eventsOfTask = statement<{ taskId: string; after: number; limit: number }, EventRow[]>(
  'events_of_task',
  ({ sql: from, tables: { events } }) =>
    from
      .select()
      .from(events)
      .where(and(eq(events.taskId, sql.placeholder('taskId')), gt(events.seq, sql.placeholder('after'))))
      .orderBy(asc(events.seq))
      .limit(sql.placeholder('limit')),
)

/** The events of a task after a number, oldest first. */
export function listEvents(q: Queries, taskId: string, after: number, limit: number): Promise<EventRow[]> {
  return eventsOfTask(q, { taskId, after, limit })
}

const eventsOfProject = statement<{ projectId: string; after: number; limit: number }, EventRow[]>(
  'events_of_project',
  ({ sql: from, tables: { events } }) =>
    from
      .select()
      .from(events)
      .where(
        and(eq(events.projectId, sql.placeholder('projectId')), gt(events.feedSeq, sql.placeholder('after'))),
      )
      .orderBy(asc(events.feedSeq))
      .limit(sql.placeholder('limit')),
)

/** The events of a project after a number in its feed, oldest first. */
export function listFeed(q: Queries, projectId: string, after: number, limit: number): Promise<EventRow[]> {
  return eventsOfProject(q, { projectId, after, limit })
}

/** All events of several tasks, in order of task, then number. */
export async function listAllEvents(q: Queries, taskIds: string[]): Promise<EventRow[]> {
  const { events } = q.tables
  return q.sql
    .select()
    .from(events)
    .where(inArray(events.taskId, taskIds))
    .orderBy(asc(events.taskId), asc(events.seq))
}
