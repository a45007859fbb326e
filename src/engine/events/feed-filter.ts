// Filters apply at the time of delivery. A subscriber that knows the task learns that it no longer matches.
import { feedKey } from '../../db/tasks/events.ts'
import type { EventRow, TaskRow } from '../../db/tables/tables.ts'
import { findTasks, type TaskFilter } from '../../db/tasks/tasks.ts'
import { isFinished } from '../../domain.ts'
import type { MaybePromise } from '../../maybe-promise.ts'
import type { Deps } from '../deps.ts'
import type { FeedItem } from './feed-item.ts'
import type { Entry } from './live-source.ts'

/** Snapshots were selected by their query. One read for equal filters. */
export function applyFilter(
  deps: Pick<Deps, 'db' | 'wakeUps'>,
  projectId: string,
  filter: TaskFilter,
  entries: readonly Entry<FeedItem>[],
): MaybePromise<readonly Entry<FeedItem>[]> {
  const isUnfiltered = Object.keys(filter).length === 0
  const [first] = entries
  if (!first || isUnfiltered || first.item.body.type === 'TASK_SNAPSHOT') return entries
  return filtered(deps, projectId, filter, entries, first)
}

async function filtered(
  deps: Pick<Deps, 'db' | 'wakeUps'>,
  projectId: string,
  filter: TaskFilter,
  entries: readonly Entry<FeedItem>[],
  first: Entry<FeedItem>,
): Promise<readonly Entry<FeedItem>[]> {
  const what = `${first.position}:${entries.length}:${JSON.stringify(filter)}`
  const { matching, left } = await deps.wakeUps.once(feedKey(projectId), what, async () => {
    const ids = entries.map(({ item }) => ({ taskId: item.task.id }))
    const found = await findById(deps, projectId, ids, filter)
    const leaving = entries.filter(({ item }) => !found.has(item.task.id) && mayLeave(item, filter))
    const tasks = leaving.map(({ item }) => ({ taskId: item.task.id }))
    return { matching: found, left: await findById(deps, projectId, tasks, fixedPartOf(filter)) }
  })
  return entries.flatMap(({ position, item }) => {
    const { id } = item.task
    const task = matching.get(id)
    if (task) return [{ position, item: { ...item, task } }]
    const gone = mayLeave(item, filter) ? left.get(id) : undefined
    return gone ? [{ position, item: { ...item, task: gone, body: { type: 'TASK_LEFT_FILTER' } } }] : []
  })
}

/**
 * Whether the task may have matched before the event. Without memory of a subscriber, which may resume in
 * another process.
 */
function mayLeave({ at, task, body }: FeedItem, { statuses, charged, hasWarnings }: TaskFilter): boolean {
  if (body.type === 'TASK_PROGRESSED' || body.type === 'PARTIAL_IMAGE_RECEIVED') return false
  const isNew = body.type === 'TASK_QUEUED' && at === task.createdAt
  // The state of a finished task is final.
  const isBound = statuses ? !statuses.every(isFinished) : charged !== undefined || hasWarnings !== undefined
  return isBound && !isNew
}

/** Conditions that an event does not change, or only makes true. */
function fixedPartOf(filter: TaskFilter): TaskFilter {
  return { ...filter, statuses: undefined, charged: undefined, hasWarnings: undefined }
}

export async function findById(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  events: Pick<EventRow, 'taskId'>[],
  filter?: TaskFilter,
): Promise<Map<string, TaskRow>> {
  if (events.length === 0) return new Map()
  const ids = [...new Set(events.map(({ taskId }) => taskId))]
  const tasks = await findTasks(db.read, projectId, ids, filter)
  return new Map(tasks.map((task) => [task.id, task]))
}
