import { listAttempts, QUEUE_KEY } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { updateTask } from '../../db/tasks/tasks.ts'
import { NO_LEASE } from './lease.ts'
import { isLive } from './machine.ts'
import { move, type Change } from './move.ts'

/**
 * The provider has it, under a remote id: it is to be asked about. Believed even after it was given up for lost, unless
 * its part is under way without it. Call it with the task locked.
 */
export async function accept(
  q: Transaction,
  task: Pick<TaskRow, 'id' | 'projectId'>,
  { id, part }: Pick<AttemptRow, 'id' | 'part'>,
  news: Change & { remoteId: string },
): Promise<void> {
  const { at, remoteId } = news
  const others = (await listAttempts(q, [task.id])).filter((other) => other.part === part && other.id !== id)
  if (others.some(({ state }) => isLive(state))) {
    await move(q, id, 'stayLost', { at, remoteId })
    return
  }
  const accepted = await move(q, id, 'accept', { missing: 0, ...news, ...NO_LEASE, error: null })
  if (!accepted) return
  q.wakeUp(QUEUE_KEY)
  const goesOn = await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], { status: 'RUNNING', error: null })
  if (goesOn) await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: id }], at)
}
