// How steps end: each end is one transaction that moves the attempt, plans the next one of its part where one may
// follow, and draws the conclusion for the task.
import { insertAssets } from '../../db/tasks/assets.ts'
import { listAttempts, type Lease } from '../../db/attempts/attempts.ts'
import { listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask, updateTask } from '../../db/tasks/tasks.ts'
import type { AttemptState, TaskError } from '../../domain.ts'
import { isFinished } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import { accept } from './accept.ts'
import { concludeTask } from './conclude.ts'
import { costMicros } from '../usage/cost.ts'
import type { Deps } from '../deps.ts'
import { noteFailure, noteSuccess } from '../routing/health.ts'
import { leaseOf, NO_LEASE, release } from './lease.ts'
import { isUnsent, type Trigger } from './machine.ts'
import { move, type Change } from './move.ts'
import type { AttemptContext, Outcome, Waiting } from './outcome.ts'
import { planAttempt } from './plan.ts'
import { replan } from './replan.ts'
import { tellToCancel } from './cancel-remote.ts'

/** Writes down what came of a step. Nothing changes where somebody else has settled the attempt already. */
export async function settle(deps: Deps, of: AttemptContext, outcome: Outcome): Promise<void> {
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

async function write(q: Transaction, deps: Deps, of: AttemptContext, outcome: Settled): Promise<void> {
  switch (outcome.is) {
    case 'DONE':
      return settleDone(q, deps, of, outcome)
    case 'FAILED':
      return settleFailed(q, deps, of, outcome)
    case 'CANCELED':
      return close(q, deps, of, { trigger: 'cancel' })
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
  of: AttemptContext,
  { images, usage: { source, ...tokens }, usage, resolved, price }: Extract<Outcome, { is: 'DONE' }>,
): Promise<void> {
  const at = deps.clock.now()
  const { size, quality } = { ...of.task.request, ...resolved }
  const moved = await move(q, of.attempt.id, 'succeed', {
    at,
    ...NO_LEASE,
    ...of.evidence,
    ...tokens,
    images: images.length,
    usageSource: source,
    costMicros: costMicros(usage, { images: images.length, ordered: of.attempt.n, size, quality }, price),
    priceVersion: price?.version ?? null,
    resolved: { ...resolved },
    error: null,
  })
  if (!moved) return
  await insertAssets(q, images)
  await cancelFollowUps(q, moved, at)
  await concludeTask(q, deps, of.task, moved, at)
}

/** A result that arrives late makes the attempt that was to follow it needless. */
async function cancelFollowUps(q: Transaction, done: AttemptRow, at: number): Promise<void> {
  for (const { id } of followUpsOf(await listAttempts(q, [done.taskId]), done))
    await move(q, id, 'cancel', { at, ...NO_LEASE })
}

/** Pure. The attempts of a part of which nothing was sent yet. */
export function followUpsOf(
  attempts: readonly AttemptRow[],
  { part }: Pick<AttemptRow, 'part'>,
): AttemptRow[] {
  return attempts.filter((attempt) => attempt.part === part && isUnsent(attempt.state))
}

/** The attempt ends as the verdict says, and its part goes on elsewhere, later, or not at all. */
async function settleFailed(
  q: Transaction,
  deps: Deps,
  of: AttemptContext,
  { failure, costMicros: known }: Extract<Outcome, { is: 'FAILED' }>,
): Promise<void> {
  const { task, attempt, evidence } = of
  deps.log.info(
    { attempt: attempt.id, kind: failure.kind, code: failure.code, phase: evidence.wirePhase },
    'an attempt failed',
  )
  // In the provider's words, which may repeat the prompt.
  deps.log.debug({ attempt: attempt.id }, failure.message)
  const attempts = await listAttempts(q, [task.id])
  const { attempt: state, next } = await replan(q, deps, task, attempts, attempt, failure)
  const news = {
    ...triggerOf(state, of),
    httpStatus: failure.httpStatus ?? evidence.httpStatus,
    error: toTaskError(failure, of, next !== undefined),
    charged: failure.charged,
    ...(known !== undefined && { costMicros: known }),
  }
  await close(q, deps, of, news, next)
}

/** Ends the attempt; `next` is the attempt that follows it, if one may. */
async function close(
  q: Transaction,
  deps: Deps,
  { task, attempt, evidence }: AttemptContext,
  { trigger, ...news }: { trigger: Trigger } & Omit<Change, 'at'>,
  next?: { provider: string; delayMs: number },
): Promise<void> {
  const at = deps.clock.now()
  const moved = await move(q, attempt.id, trigger, { at, ...NO_LEASE, ...evidence, ...news })
  if (!moved) return
  if (next && !isFinished(task.status)) {
    const { part, n, firstImage } = attempt
    const refusal = await planAttempt(q, deps, { task, part: { part, n, firstImage }, ...next })
    if (refusal) deps.log.info({ task: task.id, code: refusal.code }, 'not tried again: no budget allows it')
  }
  await concludeTask(q, deps, task, moved, at)
}

/** The lease goes back, and the row says when to ask again. */
async function settleWaiting(
  q: Transaction,
  deps: Deps,
  of: AttemptContext,
  outcome: Waiting,
): Promise<void> {
  const { attempt, evidence } = of
  // A callback that came before the answer to the submit is a reason to look at once.
  const calledBack = outcome.is === 'ACCEPTED' && (await listCallbacks(q, attempt.id)).length > 0
  const dueInMs = calledBack ? 0 : outcome.checkAfterMs
  const waiting = {
    at: deps.clock.now(),
    ...NO_LEASE,
    ...evidence,
    dueInMs,
    missing: outcome.is === 'MISSING' ? attempt.missing + 1 : 0,
  }
  if (outcome.is === 'ACCEPTED')
    return accept(q, of.task, attempt, { ...waiting, remoteId: outcome.remoteId })
  const waits = await move(q, attempt.id, 'wait', { ...waiting, lease: leaseOf(attempt) })
  if (waits && outcome.is === 'PENDING') await recordProgress(q, deps, of, outcome.progress ?? 0)
}

async function recordProgress(
  q: Transaction,
  deps: Deps,
  { task, attempt }: AttemptContext,
  fraction: number,
): Promise<void> {
  const progress = Math.min(0.99, (fraction * attempt.n) / task.request.n)
  if (progress <= task.progress || task.status !== 'RUNNING') return
  await updateTask(q, task.id, ['RUNNING'], { progress })
  await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], deps.clock.now())
}

function triggerOf(
  state: AttemptState,
  { attempt, evidence }: AttemptContext,
): { trigger: Trigger; lease?: Lease } {
  // Not a proof about the one request there may be, but the word of a worker: it counts while its claim does.
  if (evidence.wirePhase === 'NONE') return { trigger: 'giveUp', lease: leaseOf(attempt) }
  if (state === 'UNKNOWN') return { trigger: 'lose' }
  if (state === 'REJECTED') return { trigger: 'reject' }
  return { trigger: state === 'NOT_SENT' ? 'unsent' : 'fail' }
}

function toTaskError(failure: Failure, { evidence }: AttemptContext, again: boolean): TaskError {
  return {
    code: failure.code,
    message: failure.message,
    retryable: again || ['busy', 'unreached', 'lost'].includes(failure.kind),
    charged: failure.kind === 'lost' ? 'UNKNOWN' : failure.charged,
    providerRequestId: failure.providerRequestId ?? evidence.providerRequestId,
  }
}
