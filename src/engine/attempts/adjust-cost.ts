import { findAttempt } from '../../db/attempts/attempts.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { deciderOf, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { recordDecision } from '../access/audit.ts'
import { hasEnded } from './machine.ts'
import { move } from './move.ts'

/** How long a note may be, in characters. */
const MAX_NOTE_LENGTH = 1_000

/**
 * Records the cost of an attempt as billed by the provider: a POST line if no cost was known, else an ADJUST line. Audited,
 * and counted in the day and month in which the attempt was queued. No event: only the cost of the task changes. Throws
 * BAD_USER_INPUT, NOT_FOUND, and CONFLICT for an attempt whose cost a bill cannot change.
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
  if (note.trim() === '' || note.length > MAX_NOTE_LENGTH)
    throw badInput('note', `Say in 1 to ${MAX_NOTE_LENGTH} characters where the cost is known from.`)
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    const known = await findAttempt(q, by.projectId, id)
    if (!known) throw notFound('attempt', id, 'attemptId')
    await lockTask(q, known.taskId)
    // Read again under the lock.
    const before = (await findAttempt(q, by.projectId, id))!
    const after = await move(q, id, 'bill', { at, costMicros })
    if (!after) throw new GatewayError('CONFLICT', whyNot(before), { field: 'attemptId' })
    const cost = { costMicros: `${costMicros}`, before: before.costMicros?.toString() ?? null }
    await recordDecision(q, deciderOf(by), {
      projectId: by.projectId,
      at,
      action: 'adjustCost',
      subject: id,
      detail: { ...cost, note },
    })
    // Watched reports have changed.
    q.wakeUp(feedKey(by.projectId))
    return after
  })
}

function whyNot({ id, state }: AttemptRow): string {
  if (state === 'UNKNOWN')
    return `The outcome of ${id} is UNKNOWN. Say by resolveAttempt whether it was charged, then adjust its cost.`
  if (!hasEnded(state)) return `${id} is ${state}; its cost can be adjusted once it has ended.`
  return `${id} is ${state} and was certainly not charged; only one that was, or may have been, can have a cost.`
}
