// A feed is a snapshot, then the log after a cursor, then appended events. A wake-up only tells when to read the
// database. A reader holds one batch. Events have numbers without a gap, so a reader detects that some were removed,
// and says so in a snapshot.
import { abortable } from '../../async-iterators.ts'
import { feedKey, listEvents, listFeed, taskKey } from '../../db/tasks/events.ts'
import { findFeedPosition } from '../../db/access/projects.ts'
import type { EventRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask, findTasks, listTasks, queriesFor, type TaskFilter } from '../../db/tasks/tasks.ts'
import type { TaskEventBody } from '../../domain.ts'
import { isFinished } from '../../domain.ts'
import { notFound } from '../../errors.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { Deps } from '../deps.ts'

/** `task` is at least as new as the event. */
export interface FeedItem {
  /** Pass as `after` to resume after this event. */
  cursor: string
  at: number
  task: TaskRow
  body: TaskEventBody | Snapshot
}

interface Snapshot {
  type: 'TASK_SNAPSHOT'
  /** Events after the cursor were removed, and this snapshot replaces them. */
  resync: boolean
}

export type FeedDeps = Pick<Deps, 'clock' | 'db' | 'tuning' | 'wakeUps'>

/** Per read. */
const BATCH = 100

/**
 * Watches a task until its last event: a snapshot, then the events after `after`, or new ones. Throws NOT_FOUND and
 * CURSOR_INVALID before the first item.
 */
export async function watchTask(
  deps: FeedDeps,
  projectId: string,
  taskId: string,
  after: string | null,
): Promise<AsyncIterableIterator<FeedItem>> {
  const known = await findTask(deps.db.read, projectId, taskId)
  if (!known) throw notFound('task', taskId, 'taskId')
  if (after !== null) decodeCursor(after, 'task', taskId, known.lastSeq)

  return abortable(async function* watch(signal) {
    const waiter = deps.wakeUps.wait(taskKey(taskId))
    try {
      let task = (await findTask(deps.db.read, projectId, taskId))!
      let seq = after === null ? beforeEnd(task) : decodeCursor(after, 'task', taskId, task.lastSeq)
      const item = (at: number, body: FeedItem['body']): FeedItem => {
        return { cursor: encodeCursor('task', taskId, seq), at, task, body }
      }
      const resync = seq < beforeEnd(task) && !(await hasEvent(deps, taskId, seq + 1))
      if (resync) seq = beforeEnd(task)
      yield item(deps.clock.now(), { type: 'TASK_SNAPSHOT', resync })

      while (!signal.aborted) {
        const batch = await readBatch(deps, projectId, taskId, seq)
        const { events } = batch
        task = batch.task ?? task
        for (const event of events) {
          seq = event.seq
          yield item(event.at, event.body)
          if (event.body.type === 'TASK_FINISHED') return
        }
        // Read after the events: it knows whether there are more.
        if (events.length > 0 && seq < task.lastSeq) continue
        const { status, lastSeq, finishedAt } = task
        if (isFinished(status)) {
          if (seq === lastSeq) return
          // The last event was removed.
          seq = lastSeq
          yield item(finishedAt!, { type: 'TASK_FINISHED', status })
          return
        }
        await waiter.next(deps.tuning.pollMs, signal)
      }
    } finally {
      waiter.close()
    }
  })
}

/**
 * Watches the tasks that match a filter: without `after`, snapshots of the newest unfinished ones, then events. After
 * a gap: snapshots of the unfinished tasks, or of the newest task. Never ends. Throws CURSOR_INVALID before the first
 * item.
 */
export async function watchProject(
  deps: FeedDeps,
  projectId: string,
  filter: TaskFilter,
  after: string | null,
): Promise<AsyncIterableIterator<FeedItem>> {
  const last = await findFeedPosition(deps.db.read, projectId)
  const start = after === null ? last : decodeCursor(after, 'feed', projectId, last)

  return abortable(async function* watch(signal) {
    const waiter = deps.wakeUps.wait(feedKey(projectId))
    const cursorAt = (seq: number) => encodeCursor('feed', projectId, seq)
    const snapshot = (task: TaskRow, seq: number, resync: boolean): FeedItem => {
      return { cursor: cursorAt(seq), at: deps.clock.now(), task, body: { type: 'TASK_SNAPSHOT', resync } }
    }
    try {
      if (after === null) {
        for (const task of await listUnfinished(deps, projectId, filter)) yield snapshot(task, start, false)
      }
      let seq = start
      while (!signal.aborted) {
        const events = await listFeed(deps.db.read, projectId, seq, BATCH)
        if (hasGap(events, seq) || (events.length === 0 && seq < last)) {
          seq = await findFeedPosition(deps.db.read, projectId)
          for (const task of await listForResync(deps, projectId, filter)) yield snapshot(task, seq, true)
          continue
        }
        const tasks = await findMatching(deps, projectId, filter, events)
        for (const event of events) {
          seq = event.feedSeq
          const task = tasks.get(event.taskId)
          if (task) yield { cursor: cursorAt(seq), at: event.at, task, body: event.body }
        }
        if (events.length === 0) await waiter.next(deps.tuning.pollMs, signal)
      }
    } finally {
      waiter.close()
    }
  })
}

/** Before the last event of a finished task, which is always delivered. */
function beforeEnd({ status, lastSeq }: TaskRow): number {
  return isFinished(status) ? lastSeq - 1 : lastSeq
}

async function hasEvent(deps: Pick<Deps, 'db'>, taskId: string, seq: number): Promise<boolean> {
  const [next] = await listEvents(deps.db.read, taskId, seq - 1, 1)
  return next?.seq === seq
}

/** Numbers have no gaps unless events were removed. */
function hasGap(events: EventRow[], after: number): boolean {
  return events.some(({ feedSeq }, i) => feedSeq !== after + 1 + i)
}

/** One read for all viewers at the same position. The task is read after its events; undefined without events. */
function readBatch(
  deps: Pick<Deps, 'db' | 'wakeUps'>,
  projectId: string,
  taskId: string,
  seq: number,
): Promise<{ events: EventRow[]; task: TaskRow | undefined }> {
  return deps.wakeUps.once(taskKey(taskId), `${projectId}:${seq}`, async () => {
    const events = await listEvents(deps.db.read, taskId, seq, BATCH)
    return { events, task: events.length > 0 ? await findTask(deps.db.read, projectId, taskId) : undefined }
  })
}

async function listUnfinished(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  filter: TaskFilter,
): Promise<TaskRow[]> {
  const unfinished = (['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN'] as const).filter(
    (status) => filter.statuses?.includes(status) ?? true,
  )
  const all = { ...filter, statuses: unfinished }
  const tasks = await listTasks(queriesFor(db, filter), projectId, all, { limit: BATCH })
  return tasks.toReversed()
}

async function listForResync(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  filter: TaskFilter,
): Promise<TaskRow[]> {
  const unfinished = await listUnfinished({ db }, projectId, filter)
  if (unfinished.length > 0) return unfinished
  // At least one snapshot must say that events are missing.
  return listTasks(queriesFor(db, filter), projectId, filter, { limit: 1 })
}

async function findMatching(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  filter: TaskFilter,
  events: EventRow[],
): Promise<Map<string, TaskRow>> {
  if (events.length === 0) return new Map()
  const ids = [...new Set(events.map(({ taskId }) => taskId))]
  const tasks = await findTasks(db.read, projectId, ids, filter)
  return new Map(tasks.map((task) => [task.id, task]))
}
