import { findAnyAttempt, moveAttempt, type AttemptChange, type Lease } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { returnPermit } from '../../db/tasks/tasks.ts'
import { account } from './ledger.ts'
import { MOVES, transition, type TransitionInput, type Trigger } from './machine.ts'

/** The input of a move: for the machine, and evidence for the row. */
export type Change = TransitionInput &
  Omit<AttemptChange, 'state' | 'charged' | 'costMicros' | 'finishedAt'> & {
    /** When given, nothing moves once this claim was lost. */
    lease?: Lease
  }

/**
 * Moves an attempt as the machine says, with all that is written with it: permit, ledger, spending and usage. Call it
 * with the task locked. Undefined when the attempt stands elsewhere by now, or the lease was lost; nothing is written
 * then.
 */
export async function move(
  q: Transaction,
  id: string,
  trigger: Trigger,
  { at, charged, costMicros, lease, ...set }: Change,
): Promise<AttemptRow | undefined> {
  const before = await findAnyAttempt(q, id)
  const input: TransitionInput = {
    at,
    ...(charged && { charged }),
    ...(costMicros !== undefined && { costMicros }),
  }
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
  await account(q, before, after, next.line, at)
  return after
}
