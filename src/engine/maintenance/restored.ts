// After a restore the database is older than what happened: an attempt that waits in it may have been sent and charged
// since.
import { listUnsent } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask, takePermit } from '../../db/tasks/tasks.ts'
import type { TaskError } from '../../domain.ts'
import { concludeTask, type ConcludeDeps } from '../attempts/conclude.ts'
import { move, NO_LEASE } from '../attempts/move.ts'
import type { Deps } from '../deps.ts'

type RestoredDeps = ConcludeDeps & Pick<Deps, 'clock' | 'db'>

/**
 * Marks every attempt that waits to be sent as UNKNOWN, so that none is sent before an operator has reviewed it. Attempts
 * that were being sent are left to recovery, and accepted ones to their checks. Returns how many were marked.
 */
export async function markUnsentUnknown(deps: RestoredDeps): Promise<number> {
  let marked = 0
  for (const attempt of await listUnsent(deps.db.read)) if (await markUnknown(deps, attempt)) marked++
  deps.log.warn(
    { attempts: marked },
    'started after a restore: what waits was put in doubt, and nothing of it is sent',
  )
  return marked
}

async function markUnknown(deps: RestoredDeps, { id, taskId, createdAt }: AttemptRow): Promise<boolean> {
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    // Without a permit it could not have been sent.
    if (!(await takePermit(q, taskId, at))) return false
    const evidence = { wirePhase: 'INTENT' as const, sentAt: createdAt, error: RESTORED }
    const moved = await move(q, id, 'presumeSent', { at, ...NO_LEASE, ...evidence })
    // Thrown, so that the permit rolls back: another process has it, which must not happen while this runs.
    if (!moved) throw new Error(`${id} was claimed meanwhile: only one process may start after a restore.`)
    await concludeTask(q, deps, await getTask(q, taskId), moved, at)
    return true
  })
}

const RESTORED: TaskError = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'The database was restored from a backup. Whether this was sent and charged between the backup and the restore is ' +
    'unknown; it was not sent again.',
  retryable: true,
  charged: 'UNKNOWN',
  providerRequestId: null,
}
