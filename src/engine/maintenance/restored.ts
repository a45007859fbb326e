// After a backup was restored, the database is older than what happened: what it takes for waiting may have been sent
// since, and paid.
import { listUnsent } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask, takePermit } from '../../db/tasks/tasks.ts'
import type { TaskError } from '../../domain.ts'
import { concludeTask } from '../attempts/conclude.ts'
import type { Deps } from '../deps.ts'
import { NO_LEASE } from '../attempts/lease.ts'
import { move } from '../attempts/move.ts'

/**
 * Puts every attempt in doubt that waits to be sent, so that none is sent before an operator has looked. What was being
 * sent is left to recovery, and what a provider has accepted to its remote id. Answers how many there were.
 */
export async function markUnsentUnknown(deps: Deps): Promise<number> {
  let doubted = 0
  for (const attempt of await listUnsent(deps.db.read)) if (await doubt(deps, attempt)) doubted++
  deps.log.warn(
    { attempts: doubted },
    'started after a restore: what waits was put in doubt, and nothing of it is sent',
  )
  return doubted
}

async function doubt(deps: Deps, { id, taskId, createdAt }: AttemptRow): Promise<boolean> {
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    // Without a permit it could not have been sent.
    if (!(await takePermit(q, taskId, at))) return false
    const evidence = { wirePhase: 'INTENT' as const, sentAt: createdAt, error: DOUBT }
    const moved = await move(q, id, 'presumeSent', { at, ...NO_LEASE, ...evidence })
    // Thrown, so that the permit rolls back: somebody else has it, which nobody should while this runs.
    if (!moved) throw new Error(`${id} was claimed meanwhile: only one process may start after a restore.`)
    await concludeTask(q, deps, await getTask(q, taskId), moved, at)
    return true
  })
}

const DOUBT: TaskError = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'The database was restored from a backup. Whether this was sent and charged between the backup and the restore is ' +
    'unknown; it was not sent again.',
  retryable: true,
  charged: 'UNKNOWN',
  providerRequestId: null,
}
