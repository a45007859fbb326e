import { listAttempts } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { updateTask } from '../../db/tasks/tasks.ts'
import { isFinished } from '../../domain.ts'
import type { TaskError, TaskEventBody, TaskStatus, Warning } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { enqueueDeliveries } from '../webhooks/outbox.ts'
import { hasEnded, isLive, isUnanswered, isUnsent } from './machine.ts'
import { resultWarnings } from './result-warnings.ts'

/**
 * Updates a task after an attempt `changed`, and appends the events. Last in the transaction, with the task
 * locked. A finished task stays unchanged. `known`: its attempts, if read after the last change.
 */
export async function concludeTask(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  changed: AttemptRow,
  at: number,
  known?: AttemptRow[],
): Promise<TaskRow> {
  if (!isLive(changed.state)) q.afterCommit(() => countAttempt(deps, task, changed))
  if (isFinished(task.status)) return task
  const attempts = known ?? (await listAttempts(q, [task.id]))
  const { status, error, warnings } = conclude(attempts, task.cancelRequestedAt !== null)
  const finished = isFinished(status)
  const isSuccess = status === 'SUCCEEDED'
  const events: TaskEventBody[] = []
  if (changed.state === 'UNKNOWN') events.push({ type: 'OUTCOME_BECAME_UNKNOWN', attemptId: changed.id })
  else if (hasEnded(changed.state)) events.push({ type: 'ATTEMPT_ENDED', attemptId: changed.id })
  if (finished) events.push({ type: 'TASK_FINISHED', status })
  const updated = (await updateTask(q, task.id, [task.status], {
    status,
    error,
    warnings: [
      ...task.warnings,
      ...warnings,
      ...(isSuccess ? await findResultWarnings(q, task, attempts) : []),
    ],
    progress: isSuccess ? 1 : Math.max(task.progress, Math.min(0.99, progressOf(task, attempts))),
    finishedAt: finished ? at : null,
    events: events.length,
  }))!
  const { lastSeq } = updated
  if (status !== task.status) await enqueueDeliveries(q, deps, updated, { attempts, seq: lastSeq, at })
  await appendEvents(q, task, events, at, lastSeq)
  if (finished) {
    const ms = at - task.createdAt
    q.afterCommit(() => {
      deps.metrics.tasksFinished.inc({ status: status.toLowerCase() })
      deps.metrics.taskSeconds.observe({ status: status.toLowerCase() }, ms / 1000)
    })
    deps.log.info({ task: task.id, status, ms }, 'task finished')
  }
  return updated
}

function countAttempt({ metrics }: Pick<Deps, 'metrics'>, task: TaskRow, attempt: AttemptRow): void {
  const { provider, model, state, inputTokens, outputTokens } = attempt
  metrics.attemptsEnded.inc({ provider, model, outcome: state.toLowerCase() })
  if (state !== 'SUCCEEDED') return
  if (isFinished(task.status)) metrics.lateResults.inc({ provider })
  if (inputTokens !== null) metrics.tokens.inc({ provider, model, type: 'input' }, inputTokens)
  if (outputTokens !== null) metrics.tokens.inc({ provider, model, type: 'output' }, outputTokens)
}

async function findResultWarnings(
  q: Transaction,
  { id, request, warnings }: TaskRow,
  attempts: readonly AttemptRow[],
): Promise<Warning[]> {
  const images = (await listAssets(q, [id])).filter(({ kind }) => kind === 'FINAL')
  // A failed download has said why images are missing.
  const isExplained = warnings.some(({ code }) => code === 'IMAGES_MISSING')
  return resultWarnings(request, attempts, images).filter(
    ({ code }) => !isExplained || code !== 'IMAGES_MISSING',
  )
}

function progressOf(task: TaskRow, attempts: AttemptRow[]): number {
  const done = attempts.filter(({ state }) => state === 'SUCCEEDED')
  return done.reduce((sum, { n }) => sum + n, 0) / task.request.n
}

export type AttemptSummary = Pick<AttemptRow, 'part' | 'number' | 'state' | 'n' | 'error'>

export interface Conclusion {
  status: TaskStatus
  error: TaskError | null
  /** One per part without images, if another part succeeded. */
  warnings: Warning[]
}

/** Pure. A task succeeds when one of its parts does. */
export function conclude(attempts: readonly AttemptSummary[], cancelRequested: boolean): Conclusion {
  const parts = [...Map.groupBy(attempts, ({ part }) => part).values()].map(statusOfPart)
  const inOrder = attempts.toSorted((a, b) => a.number - b.number)
  const error = inOrder.findLast((attempt) => attempt.error !== null)?.error ?? null
  const has = (status: PartStatus['status']) => parts.some((part) => part.status === status)

  if (has('SENT')) return { status: 'RUNNING', error, warnings: [] }
  // A canceled task does not wait for paid images.
  if (has('FETCHING') && !cancelRequested) return { status: 'RUNNING', error, warnings: [] }
  if (has('WAITING')) return { status: 'QUEUED', error, warnings: [] }
  if (cancelRequested) return { status: 'CANCELED', error, warnings: [] }
  if (has('UNKNOWN')) return { status: 'OUTCOME_UNKNOWN', error, warnings: [] }
  if (!has('DONE')) return { status: 'FAILED', error, warnings: [] }
  const warnings = parts.filter(({ status }) => status === 'ENDED').map(missingImages)
  return { status: 'SUCCEEDED', error: null, warnings }
}

interface PartStatus {
  status: 'SENT' | 'WAITING' | 'FETCHING' | 'UNKNOWN' | 'DONE' | 'ENDED'
  latest: AttemptSummary
}

/** Not only the latest attempt: an earlier one may have brought the images, or still may. */
function statusOfPart(attempts: AttemptSummary[]): PartStatus {
  const inOrder = attempts.toSorted((a, b) => a.number - b.number)
  const latest = inOrder.at(-1)!
  if (attempts.some(({ state }) => state === 'SUCCEEDED')) return { status: 'DONE', latest }
  const unanswered = inOrder.find(({ state }) => isUnanswered(state))
  if (unanswered) return { status: isUnsent(unanswered.state) ? 'WAITING' : 'SENT', latest: unanswered }
  if (attempts.some(({ state }) => state === 'FETCHING')) return { status: 'FETCHING', latest }
  return { status: attempts.some(({ state }) => state === 'UNKNOWN') ? 'UNKNOWN' : 'ENDED', latest }
}

function missingImages({ latest: { n, error } }: PartStatus): Warning {
  const images = n === 1 ? 'One image is' : `${n} images are`
  const message = `${images} missing: ${error?.message ?? 'the attempt was canceled.'}`
  return { code: 'IMAGES_MISSING', field: 'n', message }
}
