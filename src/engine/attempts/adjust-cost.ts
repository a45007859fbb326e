import { findAttempt } from '../../db/attempts/attempts.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import { badInput, GatewayError } from '../../errors.ts'
import { deciderOf, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { record } from '../access/keys.ts'
import { hasEnded } from './machine.ts'
import { move } from './move.ts'

/** How long a note may be, in characters. */
const MAX_NOTE_LENGTH = 1_000

/**
 * Puts down what an attempt cost by the bill of its provider: posted where nobody knew, adjusted where it was known
 * otherwise. On record, and counted in the day and month in which the attempt was asked for. No event: nothing of the
 * task changes but its cost. Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT for what no bill can change.
 */
export async function adjustCost(
  deps: Deps,
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
    if (!known)
      throw new GatewayError('NOT_FOUND', `There is no attempt ${JSON.stringify(id.slice(0, 60))}.`, {
        field: 'attemptId',
      })
    await lockTask(q, known.taskId)
    // As it is now that nobody else can move it.
    const before = (await findAttempt(q, by.projectId, id))!
    const after = await move(q, id, 'bill', { at, costMicros })
    if (!after) throw new GatewayError('CONFLICT', whyNot(before), { field: 'attemptId' })
    const cost = { costMicros: `${costMicros}`, before: before.costMicros?.toString() ?? null }
    await record(q, deciderOf(by), {
      projectId: by.projectId,
      at,
      action: 'adjustCost',
      subject: id,
      detail: { ...cost, note },
    })
    // Reports that are being watched have changed.
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
