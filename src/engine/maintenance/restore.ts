import { listUnsent } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask, takePermit } from '../../db/tasks/tasks.ts'
import type { TaskError } from '../../domain.ts'
import { applyTransition } from '../attempts/apply-transition.ts'
import { concludeTask } from '../attempts/conclude.ts'
import type { Deps } from '../deps.ts'

/**
 * After a restore, every queued attempt becomes UNKNOWN: it may have been sent and charged since the backup.
 * Recovery decides about those being sent, checks about accepted ones.
 */
export async function markUnsentUnknown(deps: Deps): Promise<void> {
  let marked = 0
  for (const attempt of await listUnsent(deps.db.read)) if (await markUnknown(deps, attempt)) marked++
  deps.log.warn({ attempts: marked }, 'started after a restore; queued attempts are UNKNOWN and not sent')
}

/** False without a charge permit: it could not have been sent. */
export async function markUnknown(deps: Deps, { id, taskId, createdAt }: AttemptRow): Promise<boolean> {
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    if ((await takePermit(q, taskId, { now: at, events: 0 })) === undefined) return false
    const evidence = { wirePhase: 'INTENT' as const, sentAt: createdAt, error: RESTORED }
    const marked = await applyTransition(q, id, 'restore', { at, ...evidence })
    // Thrown: the permit rolls back.
    if (!marked) throw new Error(`${id} was claimed by another process; only one may start after a restore.`)
    await concludeTask(q, deps, await getTask(q, taskId), marked, at)
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
