import { listAssets } from '../../db/tasks/assets.ts'
import { listAttempts } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { updateTask } from '../../db/tasks/tasks.ts'
import type { AttemptState, TaskError, TaskEventBody, TaskStatus, Warning } from '../../domain.ts'
import { isFinished } from '../../domain.ts'
import { sizeWarnings } from './result-warnings.ts'
import type { Deps } from '../deps.ts'
import { countEnd, countTaskEnd } from './counting.ts'
import { isLive, isUnsent } from './machine.ts'
import { putIntoOutbox } from '../webhooks/outbox.ts'

/**
 * Draws the conclusion for a task after an attempt of it has `moved`, and appends what happened: last in the
 * transaction, with the task locked. A task that has ended stays as it ended: a surplus result changes only its own
 * attempt.
 */
export async function concludeTask(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  moved: AttemptRow,
  at: number,
): Promise<void> {
  q.afterCommit(() => countEnd(deps, task, moved))
  if (isFinished(task.status)) return
  const attempts = await listAttempts(q, [task.id])
  const { status, error, warnings } = conclude(attempts, task.cancelRequestedAt !== null)
  const finished = isFinished(status)
  const updated = await updateTask(q, task.id, [task.status], {
    status,
    error,
    warnings: [...task.warnings, ...warnings, ...(status === 'SUCCEEDED' ? await warningsOf(q, task) : [])],
    progress: status === 'SUCCEEDED' ? 1 : Math.max(task.progress, Math.min(0.99, shareDone(task, attempts))),
    finishedAt: finished ? at : null,
  })
  const attemptId = moved.id
  const lost = moved.state === 'UNKNOWN'
  const events: TaskEventBody[] = [{ type: lost ? 'OUTCOME_BECAME_UNKNOWN' : 'ATTEMPT_ENDED', attemptId }]
  if (finished) events.push({ type: 'TASK_FINISHED', status })
  if (updated && status !== task.status)
    await putIntoOutbox(q, deps, updated, { attempts, seq: updated.lastSeq + events.length, at })
  await appendEvents(q, task, events, at)
  if (!finished) return
  q.afterCommit(() => countTaskEnd(deps, status, at - task.createdAt))
  deps.log.info({ task: task.id, status, ms: at - task.createdAt }, 'task finished')
}

async function warningsOf(q: Transaction, { id, request }: TaskRow): Promise<Warning[]> {
  const assets = await listAssets(q, [id])
  return sizeWarnings(
    request.size,
    assets.filter(({ kind }) => kind === 'FINAL'),
  )
}

/** How much of a task's images have come, 0..1. */
function shareDone(task: TaskRow, attempts: AttemptRow[]): number {
  const done = attempts.filter(({ state }) => state === 'SUCCEEDED')
  return done.reduce((sum, { n }) => sum + n, 0) / task.request.n
}

/** What a conclusion needs to know of an attempt. */
export interface Ended {
  part: number
  number: number
  state: AttemptState
  /** How many images it asked for. */
  n: number
  error: TaskError | null
}

/** Where a task stands by all its attempts, and what to say about images that will not come. */
export interface Conclusion {
  status: TaskStatus
  error: TaskError | null
  /** One for each part that ended without its images, when others brought theirs. */
  warnings: Warning[]
}

/**
 * Pure. A task goes on while any of its parts does; it stands as unknown when one of them does and none goes on; it
 * succeeds with what came, and fails when nothing did. A task that its owner wants stopped ends as CANCELED as soon as
 * nothing of it is under way.
 */
export function conclude(attempts: readonly Ended[], cancelRequested: boolean): Conclusion {
  const parts = [...Map.groupBy(attempts, ({ part }) => part).values()].map(standing)
  const error =
    attempts.toSorted((a, b) => a.number - b.number).findLast((attempt) => attempt.error !== null)?.error ??
    null
  const has = (word: Standing['word']) => parts.some((part) => part.word === word)

  if (has('SENT')) return { status: 'RUNNING', error, warnings: [] }
  if (has('WAITING')) return { status: 'QUEUED', error, warnings: [] }
  if (cancelRequested) return { status: 'CANCELED', error, warnings: [] }
  if (has('UNKNOWN')) return { status: 'OUTCOME_UNKNOWN', error, warnings: [] }
  if (!has('DONE')) return { status: 'FAILED', error, warnings: [] }
  return {
    status: 'SUCCEEDED',
    error: null,
    warnings: parts.filter(({ word }) => word === 'ENDED').map(missing),
  }
}

interface Standing {
  word: 'SENT' | 'WAITING' | 'UNKNOWN' | 'DONE' | 'ENDED'
  latest: Ended
}

/** A part stands where the attempt of it does that is under way, else where the latest does; an earlier one may have brought its images, or still might. */
function standing(attempts: Ended[]): Standing {
  const inOrder = attempts.toSorted((a, b) => a.number - b.number)
  const latest = inOrder.at(-1)!
  if (attempts.some(({ state }) => state === 'SUCCEEDED')) return { word: 'DONE', latest }
  const live = inOrder.find(({ state }) => isLive(state))
  if (live) return { word: isUnsent(live.state) ? 'WAITING' : 'SENT', latest: live }
  return { word: attempts.some(({ state }) => state === 'UNKNOWN') ? 'UNKNOWN' : 'ENDED', latest }
}

function missing({ latest: { n, error } }: Standing): Warning {
  const images = n === 1 ? 'One image is' : `${n} images are`
  return {
    code: 'IMAGES_MISSING',
    field: 'n',
    message: `${images} missing: ${error?.message ?? 'the attempt was canceled.'}`,
  }
}
