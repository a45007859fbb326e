import { listAttempts } from '../../db/attempts/attempts.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask, getTask, lockTask, updateTask } from '../../db/tasks/tasks.ts'
import { isFinished } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import { concludeTask } from '../attempts/conclude.ts'
import type { Deps } from '../deps.ts'
import { NO_LEASE } from '../attempts/lease.ts'
import { move } from '../attempts/move.ts'
import { tellToCancel } from '../attempts/cancel-remote.ts'

/**
 * Stops a task as far as that is possible. Before anything was sent it ends at once and costs nothing. While a provider
 * works on it, the wish is noted and passed on where the provider can be told; the paid result is still stored, and the
 * task then ends as CANCELED. Where the outcome is unknown it ends as CANCELED with that charge unknown. A canceled
 * task is answered as it is. Throws NOT_FOUND, or CONFLICT for a task that ended otherwise.
 */
export async function cancelTask(deps: Deps, projectId: string, id: string): Promise<TaskRow> {
  const at = deps.clock.now()
  const { task, running } = await deps.db.tx(async (q) => {
    if (!(await findTask(q, projectId, id))) {
      throw new GatewayError('NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 60))}.`, {
        field: 'id',
      })
    }
    const found = await lockTask(q, id)
    if (found.status === 'CANCELED') return { task: found, running: [] }
    if (isFinished(found.status)) {
      throw new GatewayError(
        'CONFLICT',
        `${found.id} has ended as ${found.status} already; there is nothing left to cancel.`,
        { field: 'id' },
      )
    }
    await updateTask(q, id, [found.status], { cancelRequestedAt: found.cancelRequestedAt ?? at })
    const stopped: AttemptRow[] = []
    for (const attempt of await listAttempts(q, [id])) {
      const moved = await move(q, attempt.id, 'cancel', { at, ...NO_LEASE })
      if (moved) stopped.push(moved)
    }
    const attempts = await listAttempts(q, [id])
    const sent = attempts.filter(({ state }) => state === 'SENDING' || state === 'ACCEPTED')
    const changed = stopped.at(-1) ?? attempts.find(({ state }) => state === 'UNKNOWN')
    if (changed) await concludeTask(q, deps, { ...found, cancelRequestedAt: at }, changed, at)
    return { task: await getTask(q, id), running: sent }
  })
  for (const attempt of running) void tellToCancel(deps, attempt)
  return task
}
