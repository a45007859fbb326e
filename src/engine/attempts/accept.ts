import { listAttempts, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { updateTask } from '../../db/tasks/tasks.ts'
import { isLive } from './machine.ts'
import { move, NO_LEASE, type Change } from './move.ts'

/**
 * Records that a provider accepted an attempt under a remote id: it is to be checked. Also for an attempt whose outcome
 * was unknown, unless another attempt of its part is live. Call it with the task locked.
 */
export async function accept(
  q: Transaction,
  task: Pick<TaskRow, 'id' | 'projectId'>,
  { id, part }: Pick<AttemptRow, 'id' | 'part'>,
  change: Change & { remoteId: string },
): Promise<void> {
  const { at, remoteId } = change
  const others = (await listAttempts(q, [task.id])).filter((other) => other.part === part && other.id !== id)
  if (others.some(({ state }) => isLive(state))) {
    await move(q, id, 'stayLost', { at, remoteId })
    return
  }
  const accepted = await move(q, id, 'accept', { missing: 0, ...change, ...NO_LEASE, error: null })
  if (!accepted) return
  q.wakeUp(QUEUE_KEY)
  const goesOn = await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], { status: 'RUNNING', error: null })
  if (goesOn) await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: id }], at)
}
