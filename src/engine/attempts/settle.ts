import { insertAssets } from '../../db/tasks/assets.ts'
import { insertAddresses } from '../../db/attempts/addresses.ts'
import { FETCH_KEY, findAnyAttempt, listAttempts } from '../../db/attempts/attempts.ts'
import { listCallbacks } from '../../db/attempts/callbacks.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import { isValueRefused } from '../../db/connection/error-code.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { lockTask, updateTask } from '../../db/tasks/tasks.ts'
import { isFinished, type TaskError } from '../../domain.ts'
import { gatewayErrorOf } from '../../errors.ts'
import { MAX_COST_MICROS } from '../../money.ts'
import type { Failure } from '../../providers/error.ts'
import { UNKNOWN_USAGE } from '../../providers/provider.ts'
import { toStorable } from '../../text.ts'
import type { Deps } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'
import { noteFailure, noteSuccess } from '../routing/health.ts'
import { attemptCost, priceVersionOf } from '../usage/cost.ts'
import {
  acceptAttempt,
  applyTransition,
  cancelUnsent,
  leaseOf,
  release,
  resumeRunning,
} from './apply-transition.ts'
import type { TransitionChange } from './apply-transition.ts'
import { decideCharge } from './charge-policy.ts'
import { cancelRemote } from './side-call.ts'
import { concludeTask } from './conclude.ts'
import type { Trigger } from './machine.ts'
import type { AttemptContext, Outcome, WireEvidence } from './outcome.ts'
import { nextNumber, planAttempt } from './plan.ts'
import { planRetry, type RetryDecision } from './retry-policy.ts'

type Done = Extract<Outcome, { state: 'DONE' }>
type Failed = Extract<Outcome, { state: 'FAILED' }>
type Recorded = Exclude<Outcome, { state: 'LEASE_LOST' | 'RELEASED' }>
type Waiting = Extract<Outcome, { state: 'ACCEPTED' | 'PENDING' | 'MISSING' | 'UNCHECKED' }>

/** Records the outcome of a step in one transaction: attempt, successor if allowed, and task. Idempotent. */
export async function settle(
  deps: Deps,
  attempt: AttemptRow,
  evidence: WireEvidence,
  outcome: Outcome,
): Promise<void> {
  if (outcome.state === 'LEASE_LOST') return
  if (outcome.state === 'RELEASED') return release(deps, attempt, outcome.dueInMs)
  const { cancelRequestedAt } = await record(deps, attempt, evidence, outcome).catch((error: unknown) => {
    const isRefused = isValueRefused(error) || gatewayErrorOf(error)?.code === 'CONFLICT'
    const plain = isRefused ? withoutOptionalValues(outcome) : undefined
    if (!plain) throw error
    deps.log.error(
      { attempt: attempt.id, err: error },
      'the database refused a value of an outcome; it was dropped',
    )
    return record(deps, attempt, { ...evidence, providerRequestId: null, httpStatus: null }, plain)
  })
  // Canceled before there was a remote id.
  if (outcome.state === 'ACCEPTED' && cancelRequestedAt !== null)
    void cancelRemote(deps, { ...attempt, remoteId: outcome.remoteId })
  // The outcome is recorded: a retry would not help a cooldown.
  await noteHealth(deps, attempt, evidence, outcome).catch((error: unknown) =>
    deps.log.warn({ attempt: attempt.id, err: error }, 'recording the health of a provider failed'),
  )
}

async function record(
  deps: Deps,
  attempt: AttemptRow,
  evidence: WireEvidence,
  outcome: Recorded,
): Promise<TaskRow> {
  return deps.db.tx(async (q) => {
    const task = await lockTask(q, attempt.taskId)
    const of = { task, attempt, evidence }
    if (outcome.state === 'DONE') await succeed(q, deps, of, outcome)
    else if (outcome.state === 'FAILED') await fail(q, deps, of, outcome)
    else if (outcome.state === 'CANCELED') await end(q, deps, of, { trigger: 'cancel' })
    else await wait(q, deps, of, outcome)
    return task
  })
}

/** Only what must be recorded; undefined if that is all. */
function withoutOptionalValues(outcome: Recorded): Recorded | undefined {
  if (outcome.state === 'DONE') {
    const images = outcome.images.map((image) => ({ ...image, revisedPrompt: null }))
    const addresses = outcome.addresses.map((address) => ({ ...address, revisedPrompt: null }))
    return { ...outcome, images, addresses, usage: UNKNOWN_USAGE, resolved: {} }
  }
  if (outcome.state !== 'FAILED') return undefined
  const { httpStatus: _status, providerRequestId: _id, ...failure } = outcome.failure
  const { minResendDelayMs } = outcome
  const message = 'The error message cannot be stored.'
  return { state: 'FAILED', failure: { ...failure, message }, minResendDelayMs }
}

async function noteHealth(
  deps: Deps,
  attempt: AttemptRow,
  { wirePhase }: WireEvidence,
  outcome: Outcome,
): Promise<void> {
  if (outcome.state === 'DONE') await noteSuccess(deps, attempt)
  // Before sending, a failure says nothing about the provider.
  if (outcome.state === 'FAILED' && wirePhase !== 'NONE') await noteFailure(deps, attempt, outcome.failure)
}

/** A result counts whichever worker holds the lease. */
async function succeed(q: Transaction, deps: Deps, of: AttemptContext, outcome: Done): Promise<void> {
  const { task, attempt, evidence } = of
  const { images, addresses, usage, resolved, costMicros: reported } = outcome
  const { source: usageSource, ...tokens } = usage
  const at = deps.clock.now()
  const { size, quality } = { ...task.request, ...resolved }
  const { svgModel } = resolved
  const delivered = { images: images.length + addresses.length, ordered: attempt.n, size, quality, svgModel }
  // Null when the offer has left the configuration: the cost is then unknown.
  const offer = findOffer(deps.providers, attempt.provider, attempt.model)
  // Of a deleted task only the money is recorded.
  const isKept = task.deletedAt === null
  const isComplete = addresses.length === 0 || !isKept
  const isReported = reported !== undefined
  const cost = isReported
    ? { totalMicros: reported, svgMicros: null }
    : attemptCost(usage, delivered, task.request, offer)
  const isStorable = cost.totalMicros !== null && cost.totalMicros <= MAX_COST_MICROS
  const answered = await applyTransition(q, attempt.id, isComplete ? 'succeed' : 'receive', {
    at,
    // This worker goes on with the downloads; after a crash another one does.
    ...(!isComplete && { dueInMs: 0, keepsLease: attempt.leaseOwner === deps.workerId }),
    ...evidence,
    ...tokens,
    images: images.length,
    usageSource,
    costMicros: isStorable ? cost.totalMicros : null,
    svgCostMicros: isStorable ? cost.svgMicros : null,
    priceVersion: isReported ? null : priceVersionOf(task.request, offer),
    ...(isReported && { source: 'REPORTED' as const }),
    resolved: { ...resolved },
    error: null,
  })
  if (!answered) return deps.log.info({ attempt: attempt.id }, 'result not recorded: the attempt has ended')
  if (isKept) await insertAssets(q, images)
  if (isKept) await insertAddresses(q, addresses)
  // A late result makes a planned successor unnecessary.
  const attempts = await listAttempts(q, [task.id])
  const ofPart = attempts.filter(({ part }) => part === attempt.part)
  const canceled = await cancelUnsent(q, ofPart, at)
  if (isComplete)
    return void (await concludeTask(
      q,
      deps,
      task,
      answered,
      at,
      canceled.length === 0 ? attempts : undefined,
    ))
  q.wakeUp(FETCH_KEY)
  await resumeRunning(q, task, attempt.id, at)
}

const FAILURE_TRIGGERS = {
  NOT_SENT: 'markNotSent',
  REJECTED: 'reject',
  FAILED: 'fail',
  UNKNOWN: 'markUnknown',
} as const

async function fail(q: Transaction, deps: Deps, of: AttemptContext, outcome: Failed): Promise<void> {
  const { task, attempt, evidence } = of
  // Another worker has stored the addresses of the images meanwhile.
  if ((await findAnyAttempt(q, attempt.id))?.state === 'FETCHING') return
  const provider = findProvider(deps.providers, attempt.provider)
  const { failure, chargePolicy } = decideCharge(provider, attempt, evidence, outcome)
  const { costMicros: known, minResendDelayMs } = outcome
  const { kind, code, charged } = failure
  deps.log.info({ attempt: attempt.id, kind, code, phase: evidence.wirePhase }, 'attempt failed')
  // Not at info: the provider's text may repeat the prompt.
  deps.log.debug({ attempt: attempt.id }, failure.message)
  const { state, next } = await planRetry(q, deps, task, attempt, { failure, minResendDelayMs })
  const change = {
    httpStatus: failure.httpStatus ?? evidence.httpStatus,
    error: toTaskError(
      // The provider's text may repeat the deleted prompt.
      task.deletedAt === null ? failure : { ...failure, message: '' },
      evidence,
      next !== undefined,
    ),
    charged,
    chargePolicy,
    costMicros: known,
    // Now it counts lookups of an unknown outcome.
    ...(state === 'UNKNOWN' && { missingChecks: 0 }),
  }
  // Without evidence of a request, the worker's decision needs its lease.
  if (evidence.wirePhase === 'NONE')
    await end(q, deps, of, { trigger: 'giveUp', lease: leaseOf(attempt), ...change }, next)
  else {
    // Another worker that checks it may be receiving the image.
    const isChecked = attempt.state === 'ACCEPTED' && attempt.leaseOwner !== null
    const lease = isChecked ? { lease: leaseOf(attempt) } : {}
    await end(q, deps, of, { trigger: FAILURE_TRIGGERS[state], ...lease, ...change }, next)
  }
}

async function end(
  q: Transaction,
  deps: Deps,
  { task, attempt, evidence }: AttemptContext,
  { trigger, ...change }: { trigger: Trigger } & Omit<TransitionChange, 'at'>,
  next?: RetryDecision['next'],
): Promise<void> {
  const at = deps.clock.now()
  const ended = await applyTransition(q, attempt.id, trigger, { at, ...evidence, ...change })
  if (!ended) return
  if (next && !isFinished(task.status)) {
    const refusal = await planAttempt(q, deps, task, attempt, {
      ...next,
      number: await nextNumber(q, task),
    })
    if (refusal)
      deps.log.info({ task: task.id, attempt: attempt.id, code: refusal.code }, 'retry refused by the budget')
  }
  await concludeTask(q, deps, task, ended, at)
}

async function wait(q: Transaction, deps: Deps, of: AttemptContext, outcome: Waiting): Promise<void> {
  const { task, attempt, evidence } = of
  // A callback that preceded the response makes the check due at once.
  const isCalledBack = outcome.state === 'ACCEPTED' && (await listCallbacks(q, attempt.id)).length > 0
  const at = deps.clock.now()
  const change = {
    at,
    ...evidence,
    dueInMs: isCalledBack ? 0 : outcome.checkAfterMs,
    missingChecks: outcome.state === 'MISSING' ? attempt.missingChecks + 1 : 0,
    failedChecks: outcome.state === 'UNCHECKED' ? attempt.failedChecks + 1 : 0,
    unobservedMs: outcome.unobservedMs ?? attempt.unobservedMs,
  }
  if (outcome.state === 'ACCEPTED')
    return acceptAttempt(q, task, attempt, { ...change, remoteId: outcome.remoteId })
  const lease = leaseOf(attempt)
  const scheduled = await applyTransition(q, attempt.id, 'scheduleCheck', { ...change, lease })
  if (!scheduled || outcome.state !== 'PENDING') return
  const progress = Math.min(0.99, ((outcome.progress ?? 0) * attempt.n) / task.request.n)
  if (progress <= task.progress || task.status !== 'RUNNING') return
  await updateTask(q, task.id, ['RUNNING'], { progress })
  await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], at)
}

function toTaskError(failure: Failure, evidence: WireEvidence, isRetried: boolean): TaskError {
  return {
    code: failure.code,
    message: toStorable(failure.message),
    retryable: isRetried || ['busy', 'unreached', 'lost'].includes(failure.kind),
    charged: failure.kind === 'lost' ? 'UNKNOWN' : failure.charged,
    providerRequestId: toStorableId(failure.providerRequestId) ?? evidence.providerRequestId,
  }
}

function toStorableId(id: string | undefined): string | undefined {
  return id === undefined ? undefined : toStorable(id)
}
