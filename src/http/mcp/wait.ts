import type { TaskRow } from '../../db/tables/tables.ts'
import { isFinished } from '../../domain.ts'
import { notFound } from '../../errors.ts'
import { findTask } from '../../db/tasks/tasks.ts'
import type { ToolCall } from './tool.ts'

/** For clients that extend their time limit at each notification. */
const REMINDER_MS = 10_000
/** Each notification must have a greater progress. */
const MIN_STEP = 0.001

export function isSettled({ status }: Pick<TaskRow, 'status'>): boolean {
  return isFinished(status) || status === 'OUTCOME_UNKNOWN'
}

/** Until a task has ended or its outcome is unknown, up to `waitMs`. Throws NOT_FOUND and SHUTTING_DOWN. */
export async function waitForTask(call: ToolCall, task: TaskRow, waitMs: number): Promise<TaskRow> {
  if (waitMs === 0 || isSettled(task)) return task
  const { context, signal } = call
  const { clock, engine, projectId } = context
  const source = await engine.watchTask(projectId, task.id, null)
  const ended = new AbortController()
  const stop = AbortSignal.any([signal, ended.signal])
  void clock.sleep(waitMs, stop).then(() => source.return?.())
  const report = createReporter(call)
  if (call.notify) void remind(call, report, stop)
  let latest = task
  try {
    for await (const item of source) {
      latest = item.task
      await report(latest, item.body.type === 'PARTIAL_IMAGE_RECEIVED' ? 'partial image received' : undefined)
      if (isSettled(latest)) break
    }
  } finally {
    ended.abort()
  }
  signal.throwIfAborted()
  const current = await findTask(context.db.read, projectId, latest.id)
  // Deleted meanwhile.
  if (!current) throw notFound('task', latest.id, 'task_id')
  return current
}

type Reporter = (task?: TaskRow, message?: string) => Promise<void>

function createReporter({ notify }: ToolCall): Reporter {
  let sent = -1
  let last = 'waiting'
  return async (task, message) => {
    const progress = Math.max(task?.progress ?? 0, sent + MIN_STEP, 0)
    last = message ?? (task ? STATES[task.status] : last)
    sent = progress
    await notify?.(progress, last)
  }
}

async function remind({ context }: ToolCall, report: Reporter, stop: AbortSignal): Promise<void> {
  for (;;) {
    await context.clock.sleep(REMINDER_MS, stop)
    if (stop.aborted) return
    await report().catch(() => {})
  }
}

const STATES: Record<TaskRow['status'], string> = {
  QUEUED: 'queued',
  RUNNING: 'the provider is working on it',
  OUTCOME_UNKNOWN: 'the response of the provider was lost',
  SUCCEEDED: 'done',
  FAILED: 'failed',
  CANCELED: 'canceled',
}
