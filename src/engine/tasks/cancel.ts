import { listAttempts } from '../../db/attempts/attempts.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { lockTaskOfProject, updateTask } from '../../db/tasks/tasks.ts'
import { isFinished } from '../../domain.ts'
import { conflict, notFound } from '../../errors.ts'
import { cancelRemote } from '../attempts/side-call.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { concludeTask } from '../attempts/conclude.ts'
import { cancelUnsent } from '../attempts/apply-transition.ts'
import { isUnsent } from '../attempts/machine.ts'
import type { Deps } from '../deps.ts'

/**
 * An unsent task ends at once and costs nothing. While a provider works on it, the request is recorded, and
 * forwarded if the provider supports that; a paid result is still stored. With an unknown outcome, the charge
 * stays unknown. Idempotent. Throws NOT_FOUND and CONFLICT.
 */
export async function cancelTask(deps: Deps, projectId: string, id: string): Promise<TaskRow> {
  const at = deps.clock.now()
  const { task, running } = await deps.db.tx(async (q) => {
    const found = await lockTaskOfProject(q, projectId, id)
    if (!found) throw notFound('task', id, 'id')
    if (found.status === 'CANCELED') return { task: found, running: [] }
    if (isFinished(found.status))
      throw conflict(`${found.id} is ${found.status}; a task that has ended cannot be canceled.`, 'id')
    const cancelRequestedAt = found.cancelRequestedAt ?? at
    const requested = (await updateTask(q, id, [found.status], { cancelRequestedAt }))!
    const attempts = await listAttempts(q, [id])
    const canceled = await cancelUnsent(q, attempts, at)
    // Images being fetched are paid for: stored on arrival, but the task does not wait.
    const changed =
      canceled.at(-1) ?? attempts.find(({ state }) => state === 'UNKNOWN' || state === 'FETCHING')
    const sent = attempts.filter(({ state }) => state === 'SENDING' || state === 'ACCEPTED')
    return {
      task: changed ? await concludeTask(q, deps, requested, changed, at) : requested,
      running: sent,
    }
  })
  for (const attempt of running) void cancelRemote(deps, attempt)
  return task
}

/** If nothing was sent and `mayCancel` agrees in the same transaction. */
export async function cancelUnsentTask(
  deps: Deps,
  projectId: string,
  id: string,
  mayCancel: (q: Transaction) => Promise<boolean>,
): Promise<void> {
  const at = deps.clock.now()
  await deps.db.tx(async (q) => {
    const found = await lockTaskOfProject(q, projectId, id)
    if (found?.status !== 'QUEUED') return
    const attempts = await listAttempts(q, [id])
    if (!attempts.every(({ state }) => isUnsent(state)) || !(await mayCancel(q))) return
    const requested = (await updateTask(q, id, ['QUEUED'], { cancelRequestedAt: at }))!
    const last = (await cancelUnsent(q, attempts, at)).at(-1)
    if (last) await concludeTask(q, deps, requested, last, at)
  })
}
