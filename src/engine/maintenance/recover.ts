import { rm } from 'node:fs/promises'
import { findAnyAttempt, listAbandoned, listQueuedProviders, listUnsent } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask, takePermit } from '../../db/tasks/tasks.ts'
import type { AttemptState, TaskError } from '../../domain.ts'
import { applyTransition, release } from '../attempts/apply-transition.ts'
import { concludeTask } from '../attempts/conclude.ts'
import { lost, storedEvidence } from '../attempts/outcome.ts'
import {
  listReceivedAnswers,
  removeReceivedAnswer,
  type ReceivedAnswer,
} from '../attempts/received-answer.ts'
import { settle } from '../attempts/settle.ts'
import { filesOf } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { ingestImages } from '../images/ingest.ts'

/** With `all`, every lease but this worker's is dead: the process owns the database alone. */
interface RecoveryScope {
  all: boolean
}

/**
 * Recovers attempts whose worker is dead or stuck. Unsent ones return to the queue. Those that may have been sent become
 * UNKNOWN, never sent again without permission. Accepted ones are checked by the next worker.
 */
export async function recoverAbandoned(deps: Deps, scope: RecoveryScope): Promise<void> {
  for (const attempt of await listAbandoned(deps.db.read, { ...scope, notOwner: deps.workerId })) {
    const { id, state, leaseOwner: worker } = attempt
    deps.log.warn({ attempt: id, state, worker }, 'lease expired')
    const outcome = { state: 'FAILED' as const, failure: ABANDONED }
    const recovered =
      state === 'SENDING' ? settle(deps, attempt, storedEvidence(attempt), outcome) : release(deps, attempt)
    // An attempt that cannot be recovered now must not delay the others.
    await recovered.catch((error: unknown) =>
      deps.log.error({ attempt: id, err: error }, 'recovering an attempt failed; retrying'),
    )
  }
}

const ABANDONED = lost(
  'The gateway stopped while the provider may have been working. Whether the image was made and charged is unknown; ' +
    'it was not sent again.',
  { isInternal: true },
)

/** Settles answers that were received before a crash: their images are in the spool. Skips attempts with a live worker. */
export async function settleReceivedAnswers(
  deps: Deps,
  scope: RecoveryScope,
  exit: AbortSignal,
): Promise<void> {
  for (const answer of await listReceivedAnswers(deps))
    await settleReceived(deps, answer, scope, exit).catch((error: unknown) =>
      deps.log.error(
        { attempt: answer.attemptId, err: error },
        'settling a received answer failed; retrying',
      ),
    )
}

const UNSETTLED: ReadonlySet<AttemptState> = new Set(['SENDING', 'ACCEPTED', 'UNKNOWN'])

async function settleReceived(
  deps: Deps,
  answer: ReceivedAnswer,
  { all }: RecoveryScope,
  exit: AbortSignal,
): Promise<void> {
  const attempt = await findAnyAttempt(deps.db.read, answer.attemptId)
  if (attempt && isLeased(deps, attempt, all)) return
  if (attempt && UNSETTLED.has(attempt.state)) {
    const ingested = await ingestImages(deps, attempt, answer.images, exit)
    const { usage, resolved, evidence } = answer
    await settle(deps, attempt, evidence, { state: 'DONE', ...ingested, usage, resolved })
    deps.log.warn({ attempt: attempt.id }, 'answer received before a crash settled')
  }
  await removeReceivedAnswer(deps, answer.attemptId)
  for (const file of filesOf(answer.images)) await rm(file, { force: true })
}

function isLeased({ workerId, clock }: Deps, { leaseOwner, leaseUntil }: AttemptRow, all: boolean): boolean {
  if (leaseOwner === null || leaseUntil === null) return false
  return leaseOwner === workerId || (!all && leaseUntil > clock.now())
}

/** Warns of queued attempts whose provider is not configured here. They stay queued: another process may have it. */
export async function warnOfStranded(deps: Pick<Deps, 'db' | 'log' | 'providers'>): Promise<void> {
  const known = new Set(deps.providers.map(({ name }) => name))
  for (const provider of await listQueuedProviders(deps.db.read))
    if (!known.has(provider))
      deps.log.warn(
        { provider },
        'attempts are queued for a provider that is not configured; configure it, or cancel their tasks',
      )
}

/**
 * After a restore from a backup: marks every queued attempt UNKNOWN, because it may have been sent and charged since the
 * backup was made. Attempts that were being sent are left to recovery, and accepted ones to their checks.
 */
export async function markUnsentUnknown(deps: Deps): Promise<void> {
  let marked = 0
  for (const attempt of await listUnsent(deps.db.read)) if (await markUnknown(deps, attempt)) marked++
  deps.log.warn({ attempts: marked }, 'started after a restore; queued attempts are UNKNOWN and not sent')
}

async function markUnknown(deps: Deps, { id, taskId, createdAt }: AttemptRow): Promise<boolean> {
  const at = deps.clock.now()
  return deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    // Without a permit it could not have been sent.
    if (!(await takePermit(q, taskId, at))) return false
    const evidence = { wirePhase: 'INTENT' as const, sentAt: createdAt, error: RESTORED }
    const marked = await applyTransition(q, id, 'restore', { at, ...evidence })
    // Thrown, so that the permit rolls back.
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
