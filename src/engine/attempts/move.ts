import {
  findAnyAttempt,
  moveAttempt,
  QUEUE_KEY,
  type AttemptChange,
  type Lease,
} from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { returnPermit } from '../../db/tasks/tasks.ts'
import type { Deps } from '../deps.ts'
import { recordMove } from './ledger.ts'
import { isUnsent, MOVES, transition, type TransitionInput, type Trigger } from './machine.ts'

/** The input of a move: for the machine, and evidence for the row. */
export type Change = TransitionInput &
  Omit<AttemptChange, 'state' | 'charged' | 'costMicros' | 'finishedAt'> & {
    /** When given, nothing moves once this claim was lost. */
    lease?: Lease
  }

/** The lease columns of an attempt that no worker holds. */
export const NO_LEASE = { leaseOwner: null, leaseUntil: null }

/** The claim under which an attempt was read: a write that carries it changes nothing once the claim is lost. */
export function leaseOf({ leaseOwner, leaseEpoch }: AttemptRow): Lease {
  return { owner: leaseOwner!, epoch: leaseEpoch }
}

/**
 * Moves an attempt as the machine says, with all that is written with it: permit, ledger, spending and usage. Call it
 * with the task locked. Undefined when the attempt is in another state by now, or the lease was lost; nothing is written
 * then.
 */
export async function move(
  q: Transaction,
  id: string,
  trigger: Trigger,
  { at, charged, costMicros, lease, ...set }: Change,
): Promise<AttemptRow | undefined> {
  const before = await findAnyAttempt(q, id)
  const input = { at, ...(charged && { charged }), ...(costMicros !== undefined && { costMicros }) }
  const next = before && transition(before, trigger, input)
  if (!next) return undefined
  const { state, ...written } = next.set
  // Claims go between PLANNED and LEASED without the task's lock, so any state the move starts from will do.
  const after = await moveAttempt(
    q,
    id,
    { from: MOVES[trigger].from, to: state, lease },
    { ...set, ...written },
  )
  if (!after) return undefined
  if (next.permits === -1) await returnPermit(q, after.taskId)
  await recordMove(q, before, after, next.line, at)
  return after
}

/** Cancels those of some attempts that were not sent, free of charge. Returns them. Call it with the task locked. */
export async function cancelUnsent(
  q: Transaction,
  attempts: readonly AttemptRow[],
  at: number,
): Promise<AttemptRow[]> {
  const canceled: AttemptRow[] = []
  for (const { id } of attempts.filter(({ state }) => isUnsent(state))) {
    const moved = await move(q, id, 'cancel', { at, ...NO_LEASE })
    if (moved) canceled.push(moved)
  }
  return canceled
}

/** Returns a claimed attempt to the queue, to be sent or checked by any worker: it is due at once. */
export async function release(deps: Pick<Deps, 'db' | 'clock'>, attempt: AttemptRow): Promise<void> {
  const trigger = attempt.state === 'LEASED' ? 'release' : 'wait'
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    await move(q, attempt.id, trigger, { at, lease: leaseOf(attempt), ...NO_LEASE, dueInMs: 0 })
    q.wakeUp(QUEUE_KEY)
  })
}
