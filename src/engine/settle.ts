// How steps end: each end is one transaction that moves the attempt, plans the next one of its part where one may
// follow, and draws the conclusion for the task.
import { insertAssets } from '../db/assets.ts'
import { listAttempts, moveAttempt, type NewAttempt } from '../db/attempts.ts'
import { listCallbacks } from '../db/callbacks.ts'
import type { Transaction } from '../db/database.ts'
import { appendEvents } from '../db/events.ts'
import type { AttemptRow } from '../db/tables.ts'
import { lockTask, returnPermit, updateTask } from '../db/tasks.ts'
import type { AttemptState, TaskError } from '../domain.ts'
import { isFinished } from '../domain.ts'
import type { Failure } from '../providers/error.ts'
import { concludeTask } from './conclude.ts'
import { costMicros } from './cost.ts'
import type { Deps } from './deps.ts'
import { noteFailure, noteSuccess } from './health.ts'
import { leaseOf, NO_LEASE, release } from './lease.ts'
import { MOVES } from './machine.ts'
import type { Case, Outcome, Waiting } from './outcome.ts'
import { planAttempt } from './plan.ts'
import { replan } from './replan.ts'
import { tellToCancel } from './tell.ts'

/** Writes down what came of a step. Nothing changes where somebody else has settled the attempt already. */
export async function settle(deps: Deps, of: Case, outcome: Outcome): Promise<void> {
  if (outcome.is === 'TAKEN') return
  if (outcome.is === 'RELEASED') return release(deps, of.attempt)
  const task = await deps.db.tx(async (q) => {
    const locked = await lockTask(q, of.task.id)
    await write(q, deps, { ...of, task: locked }, outcome)
    return locked
  })
  // It was to be canceled before there was anything to cancel by.
  const cancel = outcome.is === 'ACCEPTED' && task.cancelRequestedAt !== null
  if (cancel) void tellToCancel(deps, { ...of.attempt, remoteId: outcome.remoteId })
  if (outcome.is === 'DONE') await noteSuccess(deps, of.attempt)
  // What failed before anything was sent says nothing about the provider.
  const asked = of.evidence.wirePhase !== 'NONE'
  if (outcome.is === 'FAILED' && asked) await noteFailure(deps, of.attempt, outcome.failure)
}

type Settled = Exclude<Outcome, { is: 'TAKEN' | 'RELEASED' }>

async function write(q: Transaction, deps: Deps, of: Case, outcome: Settled): Promise<void> {
  switch (outcome.is) {
    case 'DONE':
      return settleDone(q, deps, of, outcome)
    case 'FAILED':
      return settleFailed(q, deps, of, outcome.failure)
    case 'CANCELED':
      return close(q, deps, of, MOVES.cancel, {})
    case 'ACCEPTED':
    case 'PENDING':
    case 'MISSING':
      return settleWaiting(q, deps, of, outcome)
  }
}

/** A finished image is adopted whoever holds the lease now: proof beats ownership. */
async function settleDone(
  q: Transaction,
  deps: Deps,
  of: Case,
  { images, usage: { source, ...tokens }, usage, resolved, price }: Extract<Outcome, { is: 'DONE' }>,
): Promise<void> {
  const at = deps.clock.now()
  const { size, quality } = { ...of.task.request, ...resolved }
  const moved = await moveAttempt(q, of.attempt.id, MOVES.succeed, {
    ...NO_LEASE,
    ...of.evidence,
    ...tokens,
    usageSource: source,
    costMicros: costMicros(usage, { images: images.length, size, quality }, price),
    priceVersion: price?.version ?? null,
    resolved: { ...resolved },
    charged: 'YES',
    error: null,
    finishedAt: at,
  })
  if (!moved) return
  await insertAssets(q, images)
  await dropFollowUp(q, moved, at)
  await concludeTask(q, deps, of.task, moved, at)
}

/** A late result makes the attempt that was to follow it needless. */
async function dropFollowUp(q: Transaction, { taskId, part }: AttemptRow, at: number): Promise<void> {
  const attempts = await listAttempts(q, [taskId])
  for (const other of attempts.filter((attempt) => attempt.part === part)) {
    await moveAttempt(q, other.id, MOVES.cancel, { ...NO_LEASE, finishedAt: at })
  }
}

/** The attempt ends as the verdict says, and its part goes on elsewhere, later, or not at all. */
async function settleFailed(q: Transaction, deps: Deps, of: Case, failure: Failure): Promise<void> {
  const { task, attempt, evidence } = of
  deps.log.info(
    { attempt: attempt.id, kind: failure.kind, code: failure.code, phase: evidence.wirePhase },
    failure.message,
  )
  const attempts = await listAttempts(q, [task.id])
  const { attempt: state, next } = await replan(q, deps, task, attempts, attempt, failure)
  const charged = state === 'UNKNOWN' ? 'UNKNOWN' : failure.charged
  await close(
    q,
    deps,
    of,
    moveTo(state, of),
    {
      httpStatus: failure.httpStatus ?? evidence.httpStatus,
      error: toTaskError(failure, of, next !== undefined),
      charged,
    },
    next,
  )
}

/** Ends the attempt; `next` is the attempt that follows it, if one may. */
async function close(
  q: Transaction,
  deps: Deps,
  { task, attempt, evidence }: Case,
  move: Parameters<typeof moveAttempt>[2],
  set: Partial<Pick<NewAttempt, 'httpStatus' | 'error' | 'charged'>>,
  next?: { provider: string; delayMs: number },
): Promise<void> {
  const at = deps.clock.now()
  const moved = await moveAttempt(q, attempt.id, move, {
    ...NO_LEASE,
    ...evidence,
    ...set,
    finishedAt: move.to === 'UNKNOWN' ? null : at,
  })
  if (!moved) return
  if (moved.charged === 'NO' && moved.sentAt !== null) await returnPermit(q, task.id)
  if (next && !isFinished(task.status)) {
    const { part, n, firstImage } = attempt
    await planAttempt(q, deps, { task, part: { part, n, firstImage }, ...next })
  }
  await concludeTask(q, deps, task, moved, at)
}

/** The lease goes back, and the row says when to ask again. */
async function settleWaiting(q: Transaction, deps: Deps, of: Case, outcome: Waiting): Promise<void> {
  const { attempt, evidence } = of
  // A callback that came before the answer to the submit is a reason to look at once.
  const calledBack = outcome.is === 'ACCEPTED' && (await listCallbacks(q, attempt.id)).length > 0
  const dueInMs = calledBack ? 0 : outcome.checkAfterMs
  const waiting = {
    ...NO_LEASE,
    ...evidence,
    dueInMs,
    missing: outcome.is === 'MISSING' ? attempt.missing + 1 : 0,
  }
  if (outcome.is === 'ACCEPTED')
    return settleAccepted(q, deps, of, { ...waiting, remoteId: outcome.remoteId })
  const waits = await moveAttempt(q, attempt.id, { ...MOVES.wait, lease: leaseOf(attempt) }, waiting)
  if (waits && outcome.is === 'PENDING') await recordProgress(q, deps, of, outcome.progress ?? 0)
}

/** The provider took it. Believed even after it was given up for lost, unless its part has gone on without it. */
async function settleAccepted(
  q: Transaction,
  deps: Deps,
  { task, attempt }: Case,
  set: Parameters<typeof moveAttempt>[3] & { remoteId: string },
): Promise<void> {
  const ofPart = (await listAttempts(q, [task.id])).filter(({ part }) => part === attempt.part)
  if (ofPart.at(-1)?.id !== attempt.id) {
    await moveAttempt(q, attempt.id, MOVES.stayLost, { remoteId: set.remoteId })
    return
  }
  await moveAttempt(q, attempt.id, MOVES.accept, { ...set, error: null })
  const goesOn = await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], { status: 'RUNNING', error: null })
  if (goesOn)
    await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: attempt.id }], deps.clock.now())
}

async function recordProgress(
  q: Transaction,
  deps: Deps,
  { task, attempt }: Case,
  fraction: number,
): Promise<void> {
  const progress = Math.min(0.99, (fraction * attempt.n) / task.request.n)
  if (progress <= task.progress || task.status !== 'RUNNING') return
  await updateTask(q, task.id, ['RUNNING'], { progress })
  await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], deps.clock.now())
}

function moveTo(state: AttemptState, { attempt, evidence }: Case): Parameters<typeof moveAttempt>[2] {
  // Not a proof about the one request there may be, but the word of a worker: it counts while its claim does.
  if (evidence.wirePhase === 'NONE') return { ...MOVES.giveUp, lease: leaseOf(attempt) }
  if (state === 'UNKNOWN') return MOVES.lose
  if (state === 'REJECTED') return MOVES.reject
  return state === 'NOT_SENT' ? MOVES.unsent : MOVES.fail
}

function toTaskError(failure: Failure, { evidence }: Case, again: boolean): TaskError {
  return {
    code: failure.code,
    message: failure.message,
    retryable: again || ['busy', 'unreached', 'lost'].includes(failure.kind),
    charged: failure.kind === 'lost' ? 'UNKNOWN' : failure.charged,
    providerRequestId: failure.providerRequestId ?? evidence.providerRequestId,
  }
}
