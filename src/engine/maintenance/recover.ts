import { listAbandoned, listAwaited } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { release } from '../attempts/lease.ts'
import { settle } from '../attempts/settle.ts'

/**
 * Takes care of attempts whose worker is dead or stuck. What was not sent goes back into the queue; what may have been
 * sent becomes UNKNOWN and is never sent again alone; what a provider has accepted is asked about by the next worker.
 * At the start of a process that owns the database alone, `all` leases but its own are dead.
 */
export async function recoverAbandoned(deps: Deps, which: { all: boolean }): Promise<void> {
  const abandoned = await listAbandoned(deps.db.read, { ...which, notOwner: deps.workerId })
  for (const attempt of abandoned) {
    deps.log.warn(
      { attempt: attempt.id, state: attempt.state, worker: attempt.leaseOwner },
      'taking care of an abandoned attempt',
    )
    // One that cannot be taken care of now must not keep the others waiting.
    await recover(deps, attempt).catch((error: unknown) => {
      deps.log.error(
        { attempt: attempt.id, err: error },
        'an abandoned attempt cannot be taken care of; trying again',
      )
    })
  }
}

/**
 * Says which attempts nobody here will ever claim, since their provider is not configured. They are left alone: another
 * process may have it, or the operator may bring it back.
 */
export async function warnOfStranded(deps: Deps): Promise<void> {
  const known = new Set(deps.providers.map(({ name }) => name))
  for (const provider of await listAwaited(deps.db.read)) {
    if (known.has(provider)) continue
    deps.log.warn(
      { provider },
      'attempts wait for a provider that is not configured here; configure it again, or cancel their tasks',
    )
  }
}

async function recover(deps: Deps, attempt: AttemptRow): Promise<void> {
  if (attempt.state !== 'SENDING') return release(deps, attempt)
  const task = await getTask(deps.db.read, attempt.taskId)
  const { wirePhase, httpStatus, providerRequestId } = attempt
  await settle(
    deps,
    { task, attempt, evidence: { wirePhase, httpStatus, providerRequestId } },
    { is: 'FAILED', failure: LOST },
  )
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
