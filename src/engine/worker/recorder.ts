import { insertAssets, type NewAsset } from '../../db/tasks/assets.ts'
import { holdsLease } from '../../db/attempts/attempts.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { lockTask, updateTask } from '../../db/tasks/tasks.ts'
import type { TaskEventBody } from '../../domain.ts'
import { newId } from '../../ids.ts'
import type { Deps } from '../deps.ts'
import { leaseOf } from '../attempts/move.ts'
import { ingestFile } from '../images/ingest.ts'

export type RecorderDeps = Pick<Deps, 'clock' | 'db' | 'ingestLimit' | 'log' | 'store' | 'tuning'>

/** Records progress and previews of a running attempt, in the order in which they arrive. */
export interface Recorder {
  progress(fraction: number): void
  partial(file: string, index: number): Promise<void>
  /** Resolves when everything handed in so far is stored. */
  idle(): Promise<void>
}

/**
 * A preview that cannot be stored, or a progress that cannot be written, is logged and does not affect the task. Nothing is
 * written once the lease is lost: another attempt may show its own by then.
 */
export function createRecorder(deps: RecorderDeps, task: TaskRow, attempt: AttemptRow): Recorder {
  let queue = Promise.resolve()
  let last = task.progress
  let lastAt = 0
  // Of all images the task asks for. The last per cent belongs to the finished task.
  const shareOf = (fraction: number) => Math.min(0.99, (fraction * attempt.n) / task.request.n)
  const lease = leaseOf(attempt)

  function enqueue(work: () => Promise<void>): Promise<void> {
    queue = queue.then(work).catch((error: unknown) => {
      deps.log.warn({ attempt: attempt.id, err: error }, 'could not record what an attempt showed')
    })
    return queue
  }

  async function write(reached: number, shown?: { asset: NewAsset; body: TaskEventBody }): Promise<void> {
    const at = deps.clock.now()
    await deps.db.tx(async (q) => {
      const { status, progress } = await lockTask(q, task.id)
      if (status !== 'RUNNING' || !(await holdsLease(q, attempt.id, lease))) return
      const further = reached > progress
      if (further) await updateTask(q, task.id, ['RUNNING'], { progress: reached })
      if (shown) await insertAssets(q, [shown.asset])
      if (shown) await appendEvents(q, task, [shown.body], at)
      else if (further) await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress: reached }], at)
    })
  }

  return {
    progress(fraction) {
      const reached = shareOf(fraction)
      const now = deps.clock.now()
      if (!(reached > last) || now - lastAt < deps.tuning.progressIntervalMs) return
      last = reached
      lastAt = now
      void enqueue(() => write(reached))
    },

    partial(file, index) {
      return enqueue(async () => {
        const ingested = await ingestFile(deps, file)
        const createdAt = deps.clock.now()
        const id = newId('img', createdAt)
        const { taskId, projectId } = attempt
        const place = { attemptId: attempt.id, kind: 'PARTIAL' as const, position: index }
        last = Math.max(last, shareOf((index + 1) / (task.request.partialImages + 1)))
        const asset = { id, taskId, projectId, ...place, ...ingested, createdAt }
        await write(last, { asset, body: { type: 'PARTIAL_IMAGE_RECEIVED', assetId: id, index } })
      })
    },

    idle: () => queue,
  }
}
