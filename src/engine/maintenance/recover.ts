import { listAbandoned, listAwaited } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { release } from '../attempts/move.ts'
import { storedEvidence } from '../attempts/outcome.ts'
import { settle, type SettleDeps } from '../attempts/settle.ts'

/**
 * Recovers attempts whose worker is dead or stuck. Those that were not sent return to the queue; those that may have been
 * sent become UNKNOWN and are never sent again without permission; accepted ones are checked by the next worker. With
 * `all`, at the start of a process that owns the database alone, every lease but its own is dead.
 */
export async function recoverAbandoned(
  deps: SettleDeps & Pick<Deps, 'workerId'>,
  which: { all: boolean },
): Promise<void> {
  const abandoned = await listAbandoned(deps.db.read, { ...which, notOwner: deps.workerId })
  for (const attempt of abandoned) {
    deps.log.warn(
      { attempt: attempt.id, state: attempt.state, worker: attempt.leaseOwner },
      'taking care of an abandoned attempt',
    )
    // One that cannot be recovered now must not keep the others waiting.
    await recover(deps, attempt).catch((error: unknown) => {
      deps.log.error(
        { attempt: attempt.id, err: error },
        'an abandoned attempt cannot be taken care of; trying again',
      )
    })
  }
}

/**
 * Warns of attempts that this process never claims, because their provider is not configured. They are left alone:
 * another process may have it, or the operator may configure it again.
 */
export async function warnOfStranded(deps: Pick<Deps, 'db' | 'log' | 'providers'>): Promise<void> {
  const known = new Set(deps.providers.map(({ name }) => name))
  for (const provider of await listAwaited(deps.db.read)) {
    if (known.has(provider)) continue
    deps.log.warn(
      { provider },
      'attempts wait for a provider that is not configured here; configure it again, or cancel their tasks',
    )
  }
}

async function recover(deps: SettleDeps, attempt: AttemptRow): Promise<void> {
  if (attempt.state !== 'SENDING') return release(deps, attempt)
  const task = await getTask(deps.db.read, attempt.taskId)
  const evidence = storedEvidence(attempt)
  await settle(deps, { task, attempt, evidence }, { is: 'FAILED', failure: LOST })
}

const LOST: Failure = {
  kind: 'lost',
  code: 'OUTCOME_UNKNOWN',
  message:
    'The gateway stopped while the provider may have been working. Whether the image was made and charged is unknown; ' +
    'it was not sent again.',
  charged: 'UNKNOWN',
  ours: true,
}
