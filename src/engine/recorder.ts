import { inspectImage } from '../assets/inspect.ts'
import { thumbhash } from '../assets/thumbhash.ts'
import { insertAssets, type NewAsset } from '../db/assets.ts'
import { holdsLease } from '../db/attempts.ts'
import { appendEvents } from '../db/events.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { updateTask } from '../db/tasks.ts'
import type { TaskEventBody } from '../domain.ts'
import { newId } from '../ids.ts'
import type { Deps } from './deps.ts'

/** Writes down what can be seen of a running attempt: progress and previews, in the order they came. */
export interface Recorder {
  progress(fraction: number): void
  partial(file: string, index: number): Promise<void>
  /** Resolves when everything handed in so far is stored. */
  idle(): Promise<void>
}

/**
 * A preview that cannot be stored, or a progress that cannot be written, is logged and costs the task nothing. Nothing
 * is written any more once the lease is lost: another attempt may be showing its own by then.
 */
export function createRecorder(deps: Deps, task: TaskRow, attempt: AttemptRow): Recorder {
  let queue = Promise.resolve()
  let progress = task.progress
  let writtenAt = 0
  const lease = { owner: deps.workerId, epoch: attempt.leaseEpoch }

  function enqueue(work: () => Promise<void>): Promise<void> {
    queue = queue.then(work).catch((error: unknown) => {
      deps.log.warn({ attempt: attempt.id, err: error }, 'could not record what an attempt showed')
    })
    return queue
  }

  async function write(bodies: TaskEventBody[], assets: NewAsset[] = []): Promise<void> {
    const at = deps.clock.now()
    await deps.db.tx(async (q) => {
      const running = await updateTask(q, task.id, ['RUNNING'], { progress })
      if (!running || !(await holdsLease(q, attempt.id, lease))) return
      await insertAssets(q, assets)
      await appendEvents(q, task, bodies, at)
    })
  }

  return {
    progress(fraction) {
      // The last per cent belongs to the finished task.
      const capped = Math.min(0.99, fraction)
      const now = deps.clock.now()
      if (!(capped > progress) || now - writtenAt < deps.tuning.progressEveryMs) return
      progress = capped
      writtenAt = now
      void enqueue(() => write([{ type: 'TASK_PROGRESSED', progress: capped }]))
    },

    partial(file, index) {
      return enqueue(async () => {
        const { width, height, mimeType } = await inspectImage(file, { maxBytes: Infinity })
        const hash = await thumbhash(file)
        const stored = await deps.store.put(file)
        const createdAt = deps.clock.now()
        const id = newId('img', createdAt)
        const { taskId, projectId } = attempt
        const place = { attemptId: attempt.id, kind: 'PARTIAL' as const, position: index }
        progress = Math.max(progress, Math.min(0.99, (index + 1) / (task.request.partialImages + 1)))
        const row = { id, taskId, projectId, ...place, ...stored, width, height, mimeType, thumbhash: hash, createdAt }
        await write([{ type: 'PARTIAL_IMAGE_RECEIVED', assetId: id, index }], [row])
      })
    },

    idle: () => queue,
  }
}
