import type { TaskRow } from '../../db/tables/tables.ts'
import type { CreatedTask } from './create.ts'
import type { Deps } from '../deps.ts'
import type { FeedItem } from '../events/feed-item.ts'
import { createLiveSource, type LiveSource } from '../events/live-source.ts'

/** Attempts and deliveries continue this trace. */
export function instrumentedCreate(
  deps: Pick<Deps, 'metrics' | 'tracing'>,
  create: () => Promise<CreatedTask>,
): Promise<CreatedTask> {
  return deps.tracing.span('task create', { kind: 'PRODUCER' }, async (span) => {
    const created = await create()
    span.set({ 'darkroom.task.id': created.task.id, 'darkroom.task.replayed': created.replayed })
    if (!created.replayed) countCreated(deps, created.task)
    return created
  })
}

/** Counts new tasks only. */
export function instrumentedRetry(
  deps: Pick<Deps, 'metrics' | 'tracing'>,
  retry: () => Promise<TaskRow>,
): Promise<TaskRow> {
  return deps.tracing.span('task retry', { kind: 'PRODUCER' }, async (span) => {
    const task = await retry()
    span.set({ 'darkroom.task.id': task.id, 'darkroom.task.retry_of': task.retryOf })
    if (task.retryOf !== null && task.status === 'QUEUED' && task.startedAt === null) countCreated(deps, task)
    return task
  })
}

function countCreated({ metrics }: Pick<Deps, 'metrics'>, { model, operation }: TaskRow): void {
  metrics.tasksCreated.inc({ model, operation: operation.toLowerCase() })
}

/** Measures each event once for all readers. Earlier events are replays and have no lag. */
export async function instrumentedFeed(
  { metrics, clock }: Pick<Deps, 'clock' | 'metrics'>,
  opening: Promise<LiveSource<FeedItem>>,
): Promise<LiveSource<FeedItem>> {
  const subscribedAt = clock.now()
  const source = await opening
  const { log } = source
  async function read(position: number) {
    const batch = await log.read(position)
    for (const { item } of batch.entries) {
      if (item.at < subscribedAt) continue
      metrics.eventLag.observe(Math.max(0, clock.now() - item.at) / 1000)
    }
    return batch
  }
  return createLiveSource({ ...source, log: { ...log, read } })
}
