// How attempts end: every end is one transaction that moves the attempt, closes or re-plans the task, and says so in
// the log.
import { sql } from 'drizzle-orm'
import { insertAssets } from '../db/assets.ts'
import { listAttempts, moveAttempt } from '../db/attempts.ts'
import type { Transaction } from '../db/database.ts'
import { appendEvents } from '../db/events.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { getTask, returnPermit, updateTask } from '../db/tasks.ts'
import type { TaskError, TaskEventBody, TaskStatus, WirePhase } from '../domain.ts'
import { isFinished } from '../domain.ts'
import type { Failure } from '../providers/error.ts'
import type { Answer, Offer } from '../providers/provider.ts'
import { costMicros } from './cost.ts'
import { planAttempt } from './create.ts'
import type { Deps } from './deps.ts'
import { landImages } from './landing.ts'
import { MOVES } from './machine.ts'
import { replan } from './replan.ts'

/** What is known of how far the request got. Grows while a call runs. */
export interface Evidence {
  wirePhase: WirePhase
  httpStatus: number | null
  providerRequestId: string | null
}

export interface Case {
  task: TaskRow
  attempt: AttemptRow
  evidence: Evidence
}

const OPEN: TaskStatus[] = ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN']
const NO_LEASE = { leaseOwner: null, leaseUntil: null }

/** Settles what a provider said. A finished image is adopted whoever holds the lease: proof beats ownership. */
export async function settleAnswer(deps: Deps, of: Case & { offer: Offer }, answer: Answer): Promise<void> {
  if (answer.state === 'DONE') return await settleDone(deps, of, answer)
  const { task, attempt, evidence } = of
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    const runAfter = sql`${q.now} + ${answer.checkAfterMs}`
    const waiting = { ...NO_LEASE, ...evidence, runAfter }
    if (answer.state === 'ACCEPTED') {
      await moveAttempt(q, attempt.id, MOVES.accept, { ...waiting, remoteId: answer.remoteId })
      return
    }
    await moveAttempt(q, attempt.id, MOVES.wait, waiting)
    const progress = Math.min(0.99, (answer.state === "PENDING" ? answer.progress : null) ?? 0)
    if (progress <= task.progress) return
    await updateTask(q, task.id, ['RUNNING'], { progress })
    await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], at)
  })
}

async function settleDone(deps: Deps, of: Case & { offer: Offer }, answer: Extract<Answer, { state: 'DONE' }>): Promise<void> {
  const { attempt, evidence, offer } = of
  const landed = await landImages(deps, attempt, answer.images)
  const { source, ...tokens } = answer.usage
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    const task = await getTask(q, attempt.taskId)
    const moved = await moveAttempt(q, attempt.id, MOVES.succeed, {
      ...NO_LEASE,
      ...evidence,
      ...tokens,
      usageSource: source,
      costMicros: costMicros(answer.usage, offer.price),
      priceVersion: offer.price?.version ?? null,
      resolved: answer.resolved as Record<string, string>,
      charged: 'YES',
      error: null,
      finishedAt: at,
    })
    if (!moved) return
    await insertAssets(q, landed)
    await dropPlanned(q, task.id, at)
    const status = task.cancelRequestedAt === null ? 'SUCCEEDED' : 'CANCELED'
    await finish(q, deps, task, attempt, status, null, at)
  })
}

/** A late result makes the attempt that was to follow it needless. */
async function dropPlanned(q: Transaction, taskId: string, at: number): Promise<void> {
  for (const { id } of await listAttempts(q, [taskId])) {
    await moveAttempt(q, id, MOVES.cancel, { ...NO_LEASE, finishedAt: at })
  }
}

/** Settles a failure by the verdict on it: the attempt ends, and the task goes on elsewhere, later, or not at all. */
export async function settleFailure(deps: Deps, of: Case, failure: Failure): Promise<void> {
  const { attempt, evidence } = of
  const at = deps.clock.now()
  deps.log.info({ attempt: attempt.id, kind: failure.kind, code: failure.code, phase: evidence.wirePhase }, failure.message)
  await deps.db.tx(async (q) => {
    const task = await getTask(q, attempt.taskId)
    const outcome = await replan(q, deps, task, attempt, failure)
    const error = toTaskError(failure, evidence, outcome.task.next)
    const charged = outcome.attempt === 'UNKNOWN' ? 'UNKNOWN' : failure.charged
    const move = { UNKNOWN: MOVES.lose, FAILED: MOVES.fail, REJECTED: MOVES.reject, NOT_SENT: MOVES.unsent }[outcome.attempt]
    // Before the intent no permit was taken; an attempt that never got so far was simply not sent.
    const neverIntended = evidence.wirePhase === 'NONE' && attempt.state === 'LEASED'
    const moved = await moveAttempt(q, attempt.id, neverIntended ? MOVES.unsent : move, {
      ...NO_LEASE,
      ...evidence,
      httpStatus: failure.httpStatus ?? evidence.httpStatus,
      error,
      charged,
      finishedAt: outcome.attempt === 'UNKNOWN' ? null : at,
    })
    if (!moved) return
    if (charged === 'NO' && moved.sentAt !== null) await returnPermit(q, task.id)
    if (isFinished(task.status)) return

    const { task: then } = outcome
    if (then.next === 'FAIL') return await finish(q, deps, task, attempt, 'FAILED', error, at)
    if (then.next === 'CANCEL') return await finish(q, deps, task, attempt, 'CANCELED', error, at)
    const events: TaskEventBody[] = []
    if (outcome.attempt === 'UNKNOWN') events.push({ type: 'OUTCOME_BECAME_UNKNOWN', attemptId: attempt.id })
    else events.push({ type: 'ATTEMPT_ENDED', attemptId: attempt.id })
    if (then.next === 'AGAIN') {
      await updateTask(q, task.id, OPEN, { status: 'QUEUED', error })
      await planAttempt(q, deps, { task, number: attempt.number + 1, provider: then.provider, delayMs: then.delayMs })
    } else {
      await updateTask(q, task.id, OPEN, { status: 'OUTCOME_UNKNOWN', error })
    }
    await appendEvents(q, task, events, at)
  })
}

/** Ends a task whose owner wanted it stopped before anything was sent. */
export async function settleCanceled(deps: Deps, { id }: TaskRow, attempt: AttemptRow): Promise<void> {
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    const task = await getTask(q, id)
    const moved = await moveAttempt(q, attempt.id, MOVES.cancel, { ...NO_LEASE, finishedAt: at })
    if (moved && !isFinished(task.status)) await finish(q, deps, task, attempt, 'CANCELED', null, at)
  })
}

/** Ends the task, once: a surplus result of a task that ended before changes only its own attempt. */
export async function finish(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  attempt: Pick<AttemptRow, 'id'>,
  status: Extract<TaskStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELED'>,
  error: TaskError | null,
  at: number,
): Promise<void> {
  const progress = status === 'SUCCEEDED' ? { progress: 1 } : {}
  const ended = await updateTask(q, task.id, OPEN, { ...progress, status, error, finishedAt: at })
  if (!ended) return
  deps.log.info({ task: task.id, status, ms: at - task.createdAt }, 'task finished')
  await appendEvents(q, task, [{ type: 'ATTEMPT_ENDED', attemptId: attempt.id }, { type: 'TASK_FINISHED', status }], at)
}

function toTaskError(failure: Failure, evidence: Evidence, next: string): TaskError {
  return {
    code: failure.code,
    message: failure.message,
    retryable: next === 'AGAIN' || next === 'HOLD' || failure.kind === 'busy' || failure.kind === 'unreached',
    charged: failure.kind === 'lost' ? 'UNKNOWN' : failure.charged,
    providerRequestId: failure.providerRequestId ?? evidence.providerRequestId,
  }
}
