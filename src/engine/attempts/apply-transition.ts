import {
  findAnyAttempt,
  listAttempts,
  updateAttempt,
  FETCH_KEY,
  QUEUE_KEY,
  type AttemptChange,
  type Lease,
} from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { readDatabaseNow } from '../../db/maintenance/clock.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { returnPermit, updateTask } from '../../db/tasks/tasks.ts'
import type { LedgerSource } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { recordTransition, sourceOf } from './ledger.ts'
import {
  isUnanswered,
  isUnsent,
  transition,
  TRANSITIONS,
  type TransitionInput,
  type Trigger,
} from './machine.ts'

export type TransitionChange = TransitionInput &
  Omit<AttemptChange, 'state' | 'charged' | 'costMicros' | 'estimatedMicros' | 'finishedAt'> & {
    /** When given, nothing is written after the lease was lost. */
    lease?: Lease
    /** By default the lease is returned. */
    keepsLease?: boolean
    /** Of the amount; by default that of the trigger. */
    source?: LedgerSource
  }

export function leaseOf({ leaseOwner, leaseEpoch }: AttemptRow): Lease {
  return { owner: leaseOwner!, epoch: leaseEpoch }
}

/**
 * Applies a transition with its permit, ledger, spending and usage. Hold the task's lock. Undefined, with
 * nothing written, when the state no longer allows it or the lease was lost.
 */
export async function applyTransition(
  q: Transaction,
  id: string,
  trigger: Trigger,
  { at, charged, costMicros, estimatedMicros, lease, keepsLease, source, ...columns }: TransitionChange,
): Promise<AttemptRow | undefined> {
  const before = await findAnyAttempt(q, id)
  const next = before && transition(before, trigger, { at, charged, costMicros, estimatedMicros })
  if (!next) return undefined
  const { state: to, ...set } = next.set
  // Claims alternate PLANNED and LEASED without the task's lock, so any state of the rule is accepted.
  const { from } = TRANSITIONS[trigger]
  const change = { ...(!keepsLease && { leaseOwner: null, leaseUntil: null }), ...columns, ...set }
  const after = await updateAttempt(q, id, { from, to, lease }, change)
  if (!after) return undefined
  if (next.permits === -1) await returnPermit(q, after.taskId)
  await recordTransition(q, before, after, next, { at, source: source ?? sourceOf(trigger) })
  return after
}

/**
 * Cancels an unsent successor of an UNKNOWN attempt, which stays UNKNOWN while a sent one is live. Hold the
 * task's lock.
 */
export async function acceptAttempt(
  q: Transaction,
  task: Pick<TaskRow, 'id' | 'projectId'>,
  { id, part }: Pick<AttemptRow, 'id' | 'part'>,
  change: TransitionChange & { remoteId: string },
): Promise<void> {
  const { at, remoteId } = change
  const ofPart = (await listAttempts(q, [task.id])).filter((other) => other.part === part)
  const others = ofPart.filter((other) => other.id !== id)
  if (others.some(({ state }) => isUnanswered(state) && !isUnsent(state))) {
    await applyTransition(q, id, 'keepUnknown', { at, remoteId })
    return
  }
  await cancelUnsent(q, others, at)
  const accepted = await applyTransition(q, id, 'accept', {
    missingChecks: 0,
    ...change,
    ...unaskedWhileUnknown(
      ofPart.find((own) => own.id === id),
      at,
    ),
    error: null,
  })
  if (!accepted) return
  q.wakeUp(QUEUE_KEY)
  await resumeRunning(q, task, id, at)
}

/** A task that waits for an attempt of unknown outcome, or for another to be sent, is RUNNING again. */
export async function resumeRunning(
  q: Transaction,
  task: Pick<TaskRow, 'id' | 'projectId'>,
  attemptId: string,
  at: number,
): Promise<void> {
  const resumed = await updateTask(q, task.id, ['QUEUED', 'OUTCOME_UNKNOWN'], {
    status: 'RUNNING',
    error: null,
  })
  if (resumed) await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId }], at)
}

/** Acceptance restarts the timeout of an UNKNOWN attempt. */
function unaskedWhileUnknown(attempt: AttemptRow | undefined, at: number): { unobservedMs?: number } {
  if (attempt?.state !== 'UNKNOWN') return {}
  return { unobservedMs: Math.max(0, at - (attempt.sentAt ?? at)) }
}

/** Returns the canceled ones. Hold the task's lock. */
export async function cancelUnsent(
  q: Transaction,
  attempts: readonly AttemptRow[],
  at: number,
): Promise<AttemptRow[]> {
  const canceled: AttemptRow[] = []
  for (const { id } of attempts.filter(({ state }) => isUnsent(state))) {
    const attempt = await applyTransition(q, id, 'cancel', { at })
    if (attempt) canceled.push(attempt)
  }
  return canceled
}

/** Returns a claimed attempt to the queue. It stays due since the same time, at the latest now. */
export async function release(
  deps: Pick<Deps, 'db' | 'clock'>,
  attempt: AttemptRow,
  dueInMs?: number,
): Promise<void> {
  const trigger =
    attempt.state === 'LEASED' ? 'release' : attempt.state === 'FETCHING' ? 'scheduleFetch' : 'scheduleCheck'
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    // It was claimed before the clock was set back.
    const isOfFuture = attempt.runAfter > (await readDatabaseNow(q))
    const due = dueInMs !== undefined ? { dueInMs } : isOfFuture ? { dueInMs: 0 } : {}
    await applyTransition(q, attempt.id, trigger, { at, lease: leaseOf(attempt), ...due })
    q.wakeUp(attempt.state === 'FETCHING' ? FETCH_KEY : QUEUE_KEY)
  })
}
