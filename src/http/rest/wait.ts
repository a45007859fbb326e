import type { TaskRow } from '../../db/tables/tables.ts'
import { isFinished } from '../../domain.ts'
import { encodeCursor } from '../../engine/events/cursor.ts'
import type { Engine } from '../../engine/engine.ts'
import type { FeedItem } from '../../engine/events/feed-item.ts'

/** Why a wait ended. UNKNOWN: the engine holds the task, whose outcome is unknown. STOPPED: by `signal`. */
export type WaitEnd = 'ENDED' | 'UNKNOWN' | 'STOPPED'

export interface Waited {
  end: WaitEnd
  /** As last seen. */
  task: TaskRow
}

export function hasAnswer({ status }: TaskRow): boolean {
  return isFinished(status) || status === 'OUTCOME_UNKNOWN'
}

/** Until the task has an answer, or `signal` aborts. `onItem` receives every event of the task. */
export async function waitForTask(
  engine: Pick<Engine, 'watchTask'>,
  task: TaskRow,
  signal: AbortSignal,
  onItem: (item: FeedItem) => void = () => {},
): Promise<Waited> {
  const source = await engine.watchTask(task.projectId, task.id, encodeCursor('task', task.id, 0))
  let latest = task
  const stop = () => void source.return?.()
  signal.addEventListener('abort', stop)
  try {
    if (signal.aborted) return { end: 'STOPPED', task: latest }
    for await (const item of source) {
      latest = item.task
      onItem(item)
      if (latest.status === 'OUTCOME_UNKNOWN') return { end: 'UNKNOWN', task: latest }
      if (item.body.type === 'TASK_FINISHED') return { end: 'ENDED', task: latest }
    }
    return { end: signal.aborted ? 'STOPPED' : 'ENDED', task: latest }
  } finally {
    signal.removeEventListener('abort', stop)
    void source.return?.()
  }
}
