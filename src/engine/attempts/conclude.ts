import { listAttempts } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { updateTask } from '../../db/tasks/tasks.ts'
import { isFinished, type TaskEventBody, type TaskStatus, type Warning } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { putIntoOutbox } from '../webhooks/outbox.ts'
import { conclude, sizeWarnings } from './conclusion.ts'

export type ConcludeDeps = Pick<Deps, 'log' | 'metrics' | 'publicUrl' | 'assetPath'>

/**
 * Concludes a task after one of its attempts has `moved`, and appends what happened: last in the transaction, with the
 * task locked. A finished task stays as it is: a surplus result changes only its own attempt. Returns the task.
 */
export async function concludeTask(
  q: Transaction,
  deps: ConcludeDeps,
  task: TaskRow,
  moved: AttemptRow,
  at: number,
): Promise<TaskRow> {
  q.afterCommit(() => countAttempt(deps, task, moved))
  if (isFinished(task.status)) return task
  const attempts = await listAttempts(q, [task.id])
  const { status, error, warnings } = conclude(attempts, task.cancelRequestedAt !== null)
  const finished = isFinished(status)
  const updated = (await updateTask(q, task.id, [task.status], {
    status,
    error,
    warnings: [...task.warnings, ...warnings, ...(status === 'SUCCEEDED' ? await warningsOf(q, task) : [])],
    progress: status === 'SUCCEEDED' ? 1 : Math.max(task.progress, Math.min(0.99, shareDone(task, attempts))),
    finishedAt: finished ? at : null,
  }))!
  const attemptId = moved.id
  const lost = moved.state === 'UNKNOWN'
  const events: TaskEventBody[] = [{ type: lost ? 'OUTCOME_BECAME_UNKNOWN' : 'ATTEMPT_ENDED', attemptId }]
  if (finished) events.push({ type: 'TASK_FINISHED', status })
  const lastSeq = updated.lastSeq + events.length
  if (status !== task.status) await putIntoOutbox(q, deps, updated, { attempts, seq: lastSeq, at })
  await appendEvents(q, task, events, at)
  if (finished) noteEnd(q, deps, task, status, at)
  return { ...updated, lastSeq }
}

function noteEnd(
  q: Transaction,
  deps: Pick<Deps, 'log' | 'metrics'>,
  task: TaskRow,
  status: TaskStatus,
  at: number,
): void {
  const ms = at - task.createdAt
  q.afterCommit(() => {
    deps.metrics.done.tasksFinished.inc({ status: status.toLowerCase() })
    deps.metrics.done.taskSeconds.observe({ status: status.toLowerCase() }, ms / 1000)
  })
  deps.log.info({ task: task.id, status, ms }, 'task finished')
}

/** Counts an attempt that has ended, or whose outcome has become unknown. */
function countAttempt({ metrics: { done } }: Pick<Deps, 'metrics'>, task: TaskRow, moved: AttemptRow): void {
  const { provider, model, state, inputTokens, outputTokens } = moved
  done.attemptsEnded.inc({ provider, model, outcome: state.toLowerCase() })
  if (state !== 'SUCCEEDED') return
  if (isFinished(task.status)) done.darkResults.inc({ provider })
  if (inputTokens !== null) done.tokens.inc({ provider, model, type: 'input' }, inputTokens)
  if (outputTokens !== null) done.tokens.inc({ provider, model, type: 'output' }, outputTokens)
}

async function warningsOf(q: Transaction, { id, request }: TaskRow): Promise<Warning[]> {
  const assets = await listAssets(q, [id])
  return sizeWarnings(
    request.size,
    assets.filter(({ kind }) => kind === 'FINAL'),
  )
}

/** The share of a task's images that are there, 0..1. */
function shareDone(task: TaskRow, attempts: AttemptRow[]): number {
  const done = attempts.filter(({ state }) => state === 'SUCCEEDED')
  return done.reduce((sum, { n }) => sum + n, 0) / task.request.n
}
