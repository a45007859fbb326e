import { findAttempt } from '../../db/attempts/attempts.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { formatUsd, MAX_COST_MICROS } from '../../money.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { applyTransition } from './apply-transition.ts'
import { hasEnded } from './machine.ts'

const MAX_NOTE_LENGTH = 1_000

/**
 * Records the cost billed by the provider: a POST line if no cost was known, else an ADJUST line. Audited.
 * Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT for an attempt that has not ended or was certainly not
 * charged.
 */
export async function adjustCost(
  deps: Pick<Deps, 'db' | 'clock'>,
  by: Access,
  id: string,
  costMicros: number,
  note: string,
): Promise<AttemptRow> {
  if (!(Number.isSafeInteger(costMicros) && costMicros >= 0))
    throw badInput('costMicros', `costMicros is ${costMicros}; a cost is a whole number of micro-USD from 0.`)
  if (costMicros > MAX_COST_MICROS)
    throw badInput(
      'costMicros',
      `costMicros is ${costMicros}; the maximum is ${MAX_COST_MICROS} (${formatUsd(MAX_COST_MICROS)}).`,
    )
  checkNote(note)
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const found = await findAttempt(q, by.projectId, id)
    if (!found) throw notFound('attempt', id, 'attemptId')
    await lockTask(q, found.taskId)
    const before = (await findAttempt(q, by.projectId, id))!
    // What only the provider's `charges` ruled out can be charged after all.
    const trigger = before.charged === 'NO' && before.chargePolicy !== null ? 'bill' : 'adjustCost'
    const after = await applyTransition(q, id, trigger, { at, costMicros, source: 'OPERATOR' })
    if (!after) throw new GatewayError('CONFLICT', conflictOf(before), { field: 'attemptId' })
    const cost = { costMicros: `${costMicros}`, before: before.costMicros?.toString() ?? null }
    await recordDecision(q, deciderOf(by), {
      projectId: by.projectId,
      at,
      action: 'adjustCost',
      subject: id,
      detail: { ...cost, note },
    })
    // For subscriptions to usage.
    q.wakeUp(feedKey(by.projectId))
    return after
  })
}

/** Throws BAD_USER_INPUT. */
export function checkNote(note: string): void {
  if (note.trim() === '' || note.length > MAX_NOTE_LENGTH)
    throw badInput('note', `note must name its source in 1 to ${MAX_NOTE_LENGTH} characters.`)
}

function conflictOf({ id, state }: AttemptRow): string {
  if (state === 'UNKNOWN')
    return `The outcome of ${id} is UNKNOWN. Resolve it with resolveAttempt first, then adjust its cost.`
  if (!hasEnded(state)) return `${id} is ${state}; its cost can be adjusted after it has ended.`
  return `${id} is ${state} and was certainly not charged; it cannot have a cost.`
}
