// How steps end: each end is one transaction that moves the attempt, plans the next one of its part where one may
// follow, and concludes the task.
import { insertAssets } from '../../db/tasks/assets.ts'
import { listAttempts, type Lease } from '../../db/attempts/attempts.ts'
import { listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import { lockTask, updateTask } from '../../db/tasks/tasks.ts'
import { isFinished, type AttemptState, type TaskError } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { findOffer } from '../routing/configured.ts'
import { noteFailure, noteSuccess } from '../routing/health.ts'
import { costMicros } from '../usage/cost.ts'
import { accept } from './accept.ts'
import { cancelRemote } from './side-call.ts'
import { concludeTask, type ConcludeDeps } from './conclude.ts'
import type { Trigger } from './machine.ts'
import { cancelUnsent, leaseOf, move, NO_LEASE, release, type Change } from './move.ts'
import type { AttemptContext, Outcome, Waiting } from './outcome.ts'
import { planAttempt } from './plan.ts'
import { replan, type ReplanDeps } from './replan.ts'

type WriteDeps = ConcludeDeps & ReplanDeps
export type SettleDeps = WriteDeps & Pick<Deps, 'db' | 'breaker' | 'store'>

/** Writes down the outcome of a step. Does nothing where another worker has settled the attempt already. */
export async function settle(deps: SettleDeps, of: AttemptContext, outcome: Outcome): Promise<void> {
  if (outcome.is === 'TAKEN') return
  if (outcome.is === 'RELEASED') return release(deps, of.attempt)
  const task = await deps.db.tx(async (q) => {
    const locked = await lockTask(q, of.task.id)
    await write(q, deps, { ...of, task: locked }, outcome)
    return locked
  })
  // Its owner canceled it before there was a remote id.
  if (outcome.is === 'ACCEPTED' && task.cancelRequestedAt !== null)
    void cancelRemote(deps, { ...of.attempt, remoteId: outcome.remoteId })
  if (outcome.is === 'DONE') await noteSuccess(deps, of.attempt)
  // A failure before anything was sent says nothing about the provider.
  const wasSent = of.evidence.wirePhase !== 'NONE'
  if (outcome.is === 'FAILED' && wasSent) await noteFailure(deps, of.attempt, outcome.failure)
}

type Settled = Exclude<Outcome, { is: 'TAKEN' | 'RELEASED' }>

async function write(q: Transaction, deps: WriteDeps, of: AttemptContext, outcome: Settled): Promise<void> {
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

/** A finished image is adopted whichever worker holds the lease now: proof beats ownership. */
async function settleDone(
  q: Transaction,
  deps: WriteDeps,
  { task, attempt, evidence }: AttemptContext,
  { images, usage: { source, ...tokens }, usage, resolved }: Extract<Outcome, { is: 'DONE' }>,
): Promise<void> {
  const at = deps.clock.now()
  const { size, quality } = { ...task.request, ...resolved }
  const delivered = { images: images.length, ordered: attempt.n, size, quality }
  // Null when the offer has left the configuration: the cost is then unknown.
  const price = findOffer(deps.providers, attempt.provider, attempt.model)?.price ?? null
  const moved = await move(q, attempt.id, 'succeed', {
    at,
    ...NO_LEASE,
    ...evidence,
    ...tokens,
    images: images.length,
    usageSource: source,
    costMicros: costMicros(usage, delivered, price),
    priceVersion: price?.version ?? null,
    resolved: { ...resolved },
    error: null,
  })
  if (!moved) return
  await insertAssets(q, images)
  // A late result makes the attempt that was to follow it needless.
  const ofPart = (await listAttempts(q, [task.id])).filter(({ part }) => part === moved.part)
  await cancelUnsent(q, ofPart, at)
  await concludeTask(q, deps, task, moved, at)
}

/** The attempt ends as the retry policy decides, and its part continues elsewhere, later, or not at all. */
async function settleFailed(
  q: Transaction,
  deps: WriteDeps,
  of: AttemptContext,
  { failure, costMicros: known }: Extract<Outcome, { is: 'FAILED' }>,
): Promise<void> {
  const { task, attempt, evidence } = of
  deps.log.info(
    { attempt: attempt.id, kind: failure.kind, code: failure.code, phase: evidence.wirePhase },
    'an attempt failed',
  )
  // The provider's text may repeat the prompt.
  deps.log.debug({ attempt: attempt.id }, failure.message)
  const attempts = await listAttempts(q, [task.id])
  const { attempt: state, next } = await replan(q, deps, task, attempts, attempt, failure)
  const change = {
    ...triggerOf(state, of),
    httpStatus: failure.httpStatus ?? evidence.httpStatus,
    error: toTaskError(failure, of, next !== undefined),
    charged: failure.charged,
    ...(known !== undefined && { costMicros: known }),
  }
  await close(q, deps, of, change, next)
}

/** Ends the attempt; `next` is the attempt that follows it, if one may. */
async function close(
  q: Transaction,
  deps: WriteDeps,
  { task, attempt, evidence }: AttemptContext,
  { trigger, ...change }: { trigger: Trigger } & Omit<Change, 'at'>,
  next?: { provider: string; delayMs: number },
): Promise<void> {
  const at = deps.clock.now()
  const moved = await move(q, attempt.id, trigger, { at, ...NO_LEASE, ...evidence, ...change })
  if (!moved) return
  if (next && !isFinished(task.status)) {
    const { part, n, firstImage } = attempt
    const refusal = await planAttempt(q, deps, { task, part: { part, n, firstImage }, ...next })
    if (refusal) deps.log.info({ task: task.id, code: refusal.code }, 'not tried again: no budget allows it')
  }
  await concludeTask(q, deps, task, moved, at)
}

/** The lease is returned, and the row says when the next check is due. */
async function settleWaiting(
  q: Transaction,
  deps: Pick<Deps, 'clock'>,
  of: AttemptContext,
  outcome: Waiting,
): Promise<void> {
  const { task, attempt, evidence } = of
  // A callback that arrived before the answer to the submit makes the check due at once.
  const calledBack = outcome.is === 'ACCEPTED' && (await listCallbacks(q, attempt.id)).length > 0
  const waiting = {
    at: deps.clock.now(),
    ...NO_LEASE,
    ...evidence,
    dueInMs: calledBack ? 0 : outcome.checkAfterMs,
    missing: outcome.is === 'MISSING' ? attempt.missing + 1 : 0,
  }
  if (outcome.is === 'ACCEPTED') return accept(q, task, attempt, { ...waiting, remoteId: outcome.remoteId })
  const waits = await move(q, attempt.id, 'wait', { ...waiting, lease: leaseOf(attempt) })
  if (waits && outcome.is === 'PENDING') await recordProgress(q, deps, of, outcome.progress ?? 0)
}

async function recordProgress(
  q: Transaction,
  { clock }: Pick<Deps, 'clock'>,
  { task, attempt }: AttemptContext,
  fraction: number,
): Promise<void> {
  const progress = Math.min(0.99, (fraction * attempt.n) / task.request.n)
  if (progress <= task.progress || task.status !== 'RUNNING') return
  await updateTask(q, task.id, ['RUNNING'], { progress })
  await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], clock.now())
}

function triggerOf(
  state: AttemptState,
  { attempt, evidence }: AttemptContext,
): { trigger: Trigger; lease?: Lease } {
  // No proof about a request, only the decision of a worker: it counts while its claim does.
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
