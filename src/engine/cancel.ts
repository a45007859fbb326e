import { listAttempts, moveAttempt } from '../db/attempts.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { findTask, updateTask } from '../db/tasks.ts'
import { isFinished } from '../domain.ts'
import { GatewayError } from '../errors.ts'
import type { Deps } from './deps.ts'
import { MOVES } from './machine.ts'
import { finish } from './settle.ts'

/**
 * Stops a task as far as that is possible. Before anything was sent it ends at once and costs nothing. While a provider
 * works on it, the wish is noted and passed on where the provider can be told; the paid result is still stored, and the
 * task then ends as CANCELED. Where the outcome is unknown it ends as CANCELED with that charge unknown. A canceled
 * task is answered as it is. Throws NOT_FOUND, or CONFLICT for a task that ended otherwise.
 */
export async function cancelTask(deps: Deps, projectId: string, id: string): Promise<TaskRow> {
  const at = deps.clock.now()
  const { task, running } = await deps.db.tx(async (q) => {
    const found = await findTask(q, projectId, id)
    if (!found) throw new GatewayError('NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 60))}.`, { field: 'id' })
    if (found.status === 'CANCELED') return { task: found, running: undefined }
    if (isFinished(found.status)) {
      throw new GatewayError('CONFLICT', `${found.id} has ended as ${found.status} already; there is nothing left to cancel.`, { field: 'id' })
    }
    await updateTask(q, id, [found.status], { cancelRequestedAt: found.cancelRequestedAt ?? at })
    const [latest] = (await listAttempts(q, [id])).slice(-1)
    const stopped = await moveAttempt(q, latest!.id, MOVES.cancel, { leaseOwner: null, leaseUntil: null, finishedAt: at })
    const ended = stopped !== undefined || latest!.state === 'UNKNOWN'
    if (ended) await finish(q, deps, found, latest!, 'CANCELED', found.error, at)
    const task = (await findTask(q, projectId, id))!
    return { task, running: ended ? undefined : latest }
  })
  if (running) void tellProvider(deps, running)
  return task
}

async function tellProvider(deps: Deps, attempt: AttemptRow): Promise<void> {
  const provider = deps.providers.find(({ name }) => name === attempt.provider)
  if (!attempt.remoteId || !provider?.cancel) return
  try {
    await provider.cancel(attempt.remoteId, {
      signal: AbortSignal.timeout(30_000),
      clientRef: attempt.id,
      newFile: () => deps.store.newFile(),
      onWire() {},
      onProgress() {},
      onPartial: () => Promise.resolve(),
    })
  } catch (error) {
    deps.log.warn({ attempt: attempt.id, err: error }, 'the provider could not be told to cancel')
  }
}
