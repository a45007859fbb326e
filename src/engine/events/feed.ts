// A feed is a snapshot, then the log after a cursor, then appended events. Wake-ups only tell when to read. A
// reader holds one batch. Events have numbers without a gap, so a reader detects removed ones, and says so in
// a snapshot.
import { listEvents, listFeed, feedKey, taskKey } from '../../db/tasks/events.ts'
import { findFeedPosition } from '../../db/access/projects.ts'
import type { EventRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask, listTasks, queriesFor, type TaskFilter } from '../../db/tasks/tasks.ts'
import type { TaskEventBody } from '../../domain.ts'
import { isFinished } from '../../domain.ts'
import { notFound } from '../../errors.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { Deps } from '../deps.ts'
import { applyFilter, findById } from './feed-filter.ts'
import type { FeedItem, Snapshot } from './feed-item.ts'
import { createLiveSource, type Batch, type Entry, type LiveSource, type Log } from './live-source.ts'

export type FeedDeps = Pick<Deps, 'clock' | 'db' | 'tuning' | 'wakeUps'>

/** Per read. */
const BATCH = 100

/**
 * A snapshot, then the events after `after`, or new ones, up to the last. Throws NOT_FOUND and CURSOR_INVALID
 * before the first item.
 */
export async function watchTask(
  deps: FeedDeps,
  projectId: string,
  taskId: string,
  after: string | null,
): Promise<LiveSource<FeedItem>> {
  const known = await findTask(deps.db.read, projectId, taskId)
  if (!known) throw notFound('task', taskId, 'taskId')
  if (after !== null) decodeCursor(after, 'task', taskId, known.lastSeq)
  return createLiveSource({
    log: taskLog(deps, projectId, taskId),
    async start() {
      const task = await findTask(deps.db.read, projectId, taskId)
      if (!task) throw notFound('task', taskId, 'taskId')
      let seq = after === null ? beforeEnd(task) : decodeCursor(after, 'task', taskId, task.lastSeq)
      const resync = seq < beforeEnd(task) && !(await hasEvent(deps, taskId, seq + 1))
      if (resync) seq = beforeEnd(task)
      const item: FeedItem = {
        cursor: encodeCursor('task', taskId, seq),
        at: deps.clock.now(),
        task,
        body: { type: 'TASK_SNAPSHOT', resync },
      }
      return { ...entriesUpTo(seq), entries: [{ position: seq, item }], hasMore: true }
    },
  })
}

/**
 * Without `after`, snapshots of the newest unfinished tasks that match, then events. After a gap: snapshots
 * of the unfinished tasks, or of the newest task. Never ends. Throws CURSOR_INVALID before the first item.
 */
export async function watchProject(
  deps: FeedDeps,
  projectId: string,
  filter: TaskFilter,
  after: string | null,
): Promise<LiveSource<FeedItem>> {
  const last = await findFeedPosition(deps.db.read, projectId)
  const start = after === null ? last : decodeCursor(after, 'feed', projectId, last)
  const snapshots = (tasks: TaskRow[], seq: number, resync: boolean): Batch<FeedItem> => {
    const cursor = encodeCursor('feed', projectId, seq)
    const entries = tasks.map((task): Entry<FeedItem> => {
      const body: Snapshot = { type: 'TASK_SNAPSHOT', resync }
      return { position: seq, item: { cursor, at: deps.clock.now(), task, body } }
    })
    return { ...entriesUpTo(seq), entries, hasMore: true }
  }
  const resync = async () => {
    const seq = await findFeedPosition(deps.db.read, projectId)
    return snapshots(await listForResync(deps, projectId, filter), seq, true)
  }
  return createLiveSource({
    log: projectLog(deps, projectId),
    async start() {
      if (after === null) return snapshots(await listUnfinished(deps, projectId, filter), start, false)
      if (start < last && (await listFeed(deps.db.read, projectId, start, 1)).length === 0) return resync()
      return snapshots([], start, false)
    },
    resync,
    select: (entries) => applyFilter(deps, projectId, filter, entries),
  })
}

function taskLog(deps: FeedDeps, projectId: string, taskId: string): Log<FeedItem> {
  const key = taskKey(taskId)
  return {
    key: `${key}:${projectId}`,
    wait: () => waitFor(deps, key),
    read: (position) =>
      deps.wakeUps.once(key, `${projectId}:${position}`, async () => {
        let events = await listEvents(deps.db.read, taskId, position, BATCH)
        // After the events: knows whether there are more.
        const task = await findTask(deps.db.read, projectId, taskId)
        // Deleted meanwhile.
        if (!task) return { ...entriesUpTo(position), isEnd: true }
        const { status, lastSeq, finishedAt } = task
        if (events.length === 0 && position < lastSeq)
          events = await listEvents(deps.db.read, taskId, position, BATCH)
        const entries = events.map(({ seq, at, body }): Entry<FeedItem> => {
          return { position: seq, item: { cursor: encodeCursor('task', taskId, seq), at, task, body } }
        })
        const last = entries.at(-1)
        const seq = last?.position ?? position
        const isEnd = last?.item.body.type === 'TASK_FINISHED'
        if (isEnd || !isFinished(status) || (last && seq < lastSeq))
          return {
            ...entriesUpTo(seq),
            entries,
            isEnd,
            hasMore: !isEnd && entries.length > 0 && seq < lastSeq,
          }
        // The last event was removed, unless already received.
        const cursor = encodeCursor('task', taskId, lastSeq)
        const body: TaskEventBody = { type: 'TASK_FINISHED', status }
        const end = { position: lastSeq, item: { cursor, at: finishedAt!, task, body } }
        return { ...entriesUpTo(lastSeq), entries: seq === lastSeq ? entries : [end], isEnd: true }
      }),
  }
}

function projectLog(deps: FeedDeps, projectId: string): Log<FeedItem> {
  const key = feedKey(projectId)
  return {
    key,
    wait: () => waitFor(deps, key),
    /** Readers at the same position share one read. */
    read: (position) =>
      deps.wakeUps.once(key, String(position), async () => {
        const events = await listFeed(deps.db.read, projectId, position, BATCH)
        if (hasGap(events, position)) return { ...entriesUpTo(position), isLost: true }
        const tasks = await findById(deps, projectId, events)
        const entries = events.flatMap(({ feedSeq, taskId, at, body }): Entry<FeedItem>[] => {
          const task = tasks.get(taskId)
          const cursor = encodeCursor('feed', projectId, feedSeq)
          return task ? [{ position: feedSeq, item: { cursor, at, task, body } }] : []
        })
        const seq = events.at(-1)?.feedSeq ?? position
        return { ...entriesUpTo(seq), entries, hasMore: events.length === BATCH }
      }),
  }
}

function entriesUpTo(position: number): Batch<never> {
  return { entries: [], position, hasMore: false, isEnd: false, isLost: false }
}

function waitFor({ wakeUps, tuning }: Pick<Deps, 'wakeUps' | 'tuning'>, key: string) {
  const waiter = wakeUps.wait(key)
  return {
    next: (signal: AbortSignal) => waiter.next(tuning.pollMs, signal),
    close: () => waiter.close(),
  }
}

/** Before the last event of a finished task, which is always delivered. */
function beforeEnd({ status, lastSeq }: TaskRow): number {
  return isFinished(status) ? lastSeq - 1 : lastSeq
}

async function hasEvent(deps: Pick<Deps, 'db'>, taskId: string, seq: number): Promise<boolean> {
  const [next] = await listEvents(deps.db.read, taskId, seq - 1, 1)
  return next?.seq === seq
}

function hasGap(events: EventRow[], after: number): boolean {
  return events.some(({ feedSeq }, i) => feedSeq !== after + 1 + i)
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
  // One snapshot must say that events are missing.
  return listTasks(queriesFor(db, filter), projectId, filter, { limit: 1 })
}
