// Watching: a snapshot, then what the log holds after a cursor, then whatever is appended. All of it is read from the
// database; a poke only says when to look. A reader holds a cursor and one batch, however slow it is.
import { feedKey, listEvents, listFeed, taskKey } from '../db/events.ts'
import { findFeedPosition } from '../db/projects.ts'
import type { EventRow, TaskRow } from '../db/tables.ts'
import { findTask, findTasks, listTasks, type TaskFilter } from '../db/tasks.ts'
import type { TaskEventBody } from '../domain.ts'
import { isFinished } from '../domain.ts'
import { GatewayError } from '../errors.ts'
import { abortable } from './abortable.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { Deps } from './deps.ts'

/** One thing a viewer is told. `task` is at least as new as the event. */
export interface Told {
  /** Give it back as `after` to go on behind this event. */
  cursor: string
  at: number
  task: TaskRow
  body: TaskEventBody | { type: 'TASK_SNAPSHOT' }
}

/** How many events are read at once, and so held for one reader at most. */
const BATCH = 100

/**
 * Watches one task: a snapshot first, then every event after `after` (all that come, without one), ending behind the
 * task's last. Throws NOT_FOUND and CURSOR_INVALID before anything is told.
 */
export async function watchTask(
  deps: Deps,
  projectId: string,
  taskId: string,
  after: string | null,
): Promise<AsyncIterableIterator<Told>> {
  const known = await findTask(deps.db.read, projectId, taskId)
  if (!known)
    throw new GatewayError('NOT_FOUND', `There is no task ${JSON.stringify(taskId.slice(0, 60))}.`, {
      field: 'taskId',
    })
  if (after !== null) decodeCursor(after, 'task', taskId, known.lastSeq)

  return abortable(async function* watch(signal) {
    const waiter = deps.pokes.wait(taskKey(taskId))
    try {
      let task = (await findTask(deps.db.read, projectId, taskId))!
      // The end is always told: who comes after it gets the snapshot from just before.
      const fresh = isFinished(task.status) ? task.lastSeq - 1 : task.lastSeq
      let seq = after === null ? fresh : decodeCursor(after, 'task', taskId, task.lastSeq)
      yield {
        cursor: encodeCursor('task', taskId, seq),
        at: deps.clock.now(),
        task,
        body: { type: 'TASK_SNAPSHOT' },
      }

      while (!signal.aborted) {
        const { events, now } = await news(deps, projectId, taskId, seq)
        task = now ?? task
        for (const event of events) {
          seq = event.seq
          yield { cursor: encodeCursor('task', taskId, seq), at: event.at, task, body: event.body }
          if (event.body.type === 'TASK_FINISHED') return
        }
        // The task was read behind its events: it knows whether there are more.
        if (events.length > 0 && seq < task.lastSeq) continue
        if (isFinished(task.status) && seq >= task.lastSeq) return
        await waiter.next(deps.tuning.pollMs, signal)
      }
    } finally {
      waiter.close()
    }
  })
}

/**
 * Watches every task of a project: without `after`, a snapshot of each unfinished task (the newest 100), then every
 * event of every task that passes the filter. Never ends by itself. Throws CURSOR_INVALID before anything is told.
 */
export async function watchProject(
  deps: Deps,
  projectId: string,
  filter: TaskFilter,
  after: string | null,
): Promise<AsyncIterableIterator<Told>> {
  const last = await findFeedPosition(deps.db.read, projectId)
  const start = after === null ? last : decodeCursor(after, 'feed', projectId, last)

  return abortable(async function* watch(signal) {
    const waiter = deps.pokes.wait(feedKey(projectId))
    const cursorAt = (seq: number) => encodeCursor('feed', projectId, seq)
    try {
      if (after === null) {
        for (const task of await listOpen(deps, projectId, filter)) {
          yield { cursor: cursorAt(start), at: deps.clock.now(), task, body: { type: 'TASK_SNAPSHOT' } }
        }
      }
      let seq = start
      while (!signal.aborted) {
        const events = await listFeed(deps.db.read, projectId, seq, BATCH)
        const tasks = await passing(deps, projectId, filter, events)
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

interface News {
  events: EventRow[]
  /** The task behind these events; undefined when there are none. */
  now: TaskRow | undefined
}

/** What viewers who stand at the same place of a task's log are told next, read once for all of them. */
function news(deps: Deps, projectId: string, taskId: string, seq: number): Promise<News> {
  return deps.pokes.once(taskKey(taskId), `${projectId}:${seq}`, async () => {
    const events = await listEvents(deps.db.read, taskId, seq, BATCH)
    return { events, now: events.length > 0 ? await findTask(deps.db.read, projectId, taskId) : undefined }
  })
}

async function listOpen(deps: Deps, projectId: string, filter: TaskFilter): Promise<TaskRow[]> {
  const unfinished = (['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN'] as const).filter(
    (status) => filter.statuses?.includes(status) ?? true,
  )
  const open = await listTasks(
    deps.db.read,
    projectId,
    { ...filter, statuses: [...unfinished] },
    { first: BATCH },
  )
  return open.slice(0, BATCH).toReversed()
}

async function passing(
  deps: Deps,
  projectId: string,
  filter: TaskFilter,
  events: EventRow[],
): Promise<Map<string, TaskRow>> {
  if (events.length === 0) return new Map()
  const ids = [...new Set(events.map(({ taskId }) => taskId))]
  const tasks = await findTasks(deps.db.read, projectId, ids, filter)
  return new Map(tasks.map((task) => [task.id, task]))
}
