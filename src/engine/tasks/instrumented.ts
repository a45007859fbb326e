// What the edges ask of the engine, as dashboards and traces see it.
import { withHooks } from '../../async-iterators.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import type { CreatedTask } from './create.ts'
import type { Deps } from '../deps.ts'
import type { FeedItem } from '../events/feed.ts'

/** Where a task's trace leaves the request: its attempts and deliveries go on from this span. */
export function instrumentedCreate(
  deps: Pick<Deps, 'metrics' | 'tracing'>,
  create: () => Promise<CreatedTask>,
): Promise<CreatedTask> {
  return deps.tracing.span('task create', { kind: 'PRODUCER' }, async (span) => {
    const created = await create()
    span.set({ 'darkroom.task.id': created.task.id, 'darkroom.task.replayed': created.replayed })
    if (!created.replayed) count(deps, created.task)
    return created
  })
}

/** The same for a task that is tried again: a new one, or itself once more. */
export function instrumentedRetry(
  deps: Pick<Deps, 'metrics' | 'tracing'>,
  retry: () => Promise<TaskRow>,
): Promise<TaskRow> {
  return deps.tracing.span('task retry', { kind: 'PRODUCER' }, async (span) => {
    const task = await retry()
    span.set({ 'darkroom.task.id': task.id, 'darkroom.task.retry_of': task.retryOf })
    if (task.retryOf !== null && task.status === 'QUEUED' && task.startedAt === null) count(deps, task)
    return task
  })
}

function count({ metrics }: Pick<Deps, 'metrics'>, { model, operation }: TaskRow): void {
  metrics.tasksCreated.inc({ model, operation: operation.toLowerCase() })
}

/** The same feed, and how late its viewer is told. What happened before the viewer came is a replay, and not late. */
export async function instrumentedFeed(
  { metrics, clock }: Pick<Deps, 'clock' | 'metrics'>,
  opening: Promise<AsyncIterableIterator<FeedItem>>,
): Promise<AsyncIterableIterator<FeedItem>> {
  const cameAt = clock.now()
  return withHooks(await opening, {
    onItem(item) {
      if (item.body.type !== 'TASK_SNAPSHOT' && item.at >= cameAt)
        metrics.eventLag.observe(Math.max(0, clock.now() - item.at) / 1000)
      return item
    },
  })
}
