import {
  findAnyAttempt,
  listAbandoned,
  listQueuedProviders,
  listUncheckable,
} from '../../db/attempts/attempts.ts'
import { findDataFolder } from '../../db/maintenance/data-folders.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { release } from '../attempts/apply-transition.ts'
import { lost, storedEvidence } from '../attempts/outcome.ts'
import { settle } from '../attempts/settle.ts'
import type { Deps } from '../deps.ts'
import { NotStored } from '../images/ingest.ts'
import { adopt, findReceived, isLeased, type RecoveryScope } from './adopt.ts'

/**
 * Recovers attempts whose worker is dead or stuck. A received answer in this data folder settles its attempt.
 * Unsent ones return to the queue. Others become UNKNOWN, never sent again without permission. The next
 * worker checks accepted ones. Call `settleReceivedAnswers` first.
 */
export async function recoverAbandoned(deps: Deps, scope: RecoveryScope, exit: AbortSignal): Promise<void> {
  for (const attempt of await listAbandoned(deps.db.read, scope)) {
    const { id, state, leaseOwner: worker } = attempt
    // This process was stopped, or the clock was set forward.
    if (scope.isHeld(id)) continue
    deps.log.warn({ attempt: id, state, worker }, 'lease expired')
    // One failure must not delay the others.
    await recover(deps, attempt, scope, exit).catch((error: unknown) =>
      deps.log.error({ attempt: id, err: error }, 'recovering an attempt failed; retrying'),
    )
  }
}

/** The answer may be newer than the pass over all records. */
async function recover(
  deps: Deps,
  attempt: AttemptRow,
  scope: RecoveryScope,
  exit: AbortSignal,
): Promise<void> {
  const received = await findReceived(deps, attempt.id, scope)
  if (received) {
    try {
      // The answer may be newer than the row.
      const current = (await findAnyAttempt(deps.db.read, attempt.id)) ?? attempt
      if (isLeased(deps, current, scope)) return
      return await adopt(deps, current, received, exit)
    } catch (error) {
      // The next pass stores it. UNKNOWN would allow a second charge for this image.
      if (error instanceof NotStored) throw error
      deps.log.error({ attempt: attempt.id, err: error }, 'settling a received answer failed; retrying')
    }
  }
  if (attempt.state !== 'SENDING') return release(deps, attempt)
  const mayBeOnDisk = received !== undefined || (await isOfOtherFolder(deps, attempt))
  const minResendDelayMs = mayBeOnDisk ? deps.tuning.resendGraceMs : 0
  const outcome = { state: 'FAILED' as const, failure: ABANDONED, minResendDelayMs }
  await settle(deps, attempt, storedEvidence(attempt), outcome)
}

/**
 * Whether the answer may be in a data folder that this process cannot read, and that is not declared lost.
 */
async function isOfOtherFolder(
  { db, dataFolderId: own }: Deps,
  { dataFolderId }: AttemptRow,
): Promise<boolean> {
  if (db.dialect === 'sqlite' || dataFolderId === own) return false
  const folder = dataFolderId === null ? undefined : await findDataFolder(db.read, dataFolderId)
  return (folder?.lostAt ?? null) === null
}

const ABANDONED = lost(
  'The gateway stopped while the provider may have been working. Whether the image was made and charged is unknown; ' +
    'it was not sent again.',
  { isInternal: true },
)

/**
 * Marks accepted attempts UNKNOWN, and so for review, if no process has their provider. Other processes get
 * two lease durations to check. Once the provider is configured again, a late check fetches the result.
 */
export async function recoverUncheckable(deps: Deps, { all }: Pick<RecoveryScope, 'all'>): Promise<void> {
  const providers = deps.providers.map(({ name }) => name)
  const overdueMs = all ? null : 2 * deps.tuning.leaseMs
  for (const attempt of await listUncheckable(deps.db.read, { providers, overdueMs })) {
    const { id, provider } = attempt
    const failure = lost(
      `${provider} accepted the request, but is not configured any more. Whether the image was made and charged is unknown; ` +
        'it was not sent again. Configure the provider again to fetch the result, or resolve the attempt.',
      { isInternal: true },
    )
    const outcome = { state: 'FAILED' as const, failure, minResendDelayMs: deps.tuning.resendGraceMs }
    await settle(deps, attempt, storedEvidence(attempt), outcome).then(
      () => deps.log.warn({ attempt: id, provider }, 'provider of an accepted attempt is not configured'),
      (error: unknown) =>
        deps.log.error({ attempt: id, err: error }, 'recovering an attempt failed; retrying'),
    )
  }
}

/** They stay queued: another process may have the provider. */
export async function warnOfStranded(deps: Pick<Deps, 'db' | 'log' | 'providers'>): Promise<void> {
  const known = new Set(deps.providers.map(({ name }) => name))
  for (const provider of await listQueuedProviders(deps.db.read))
    if (!known.has(provider))
      deps.log.warn(
        { provider },
        'attempts are queued for a provider that is not configured; configure it, or cancel their tasks',
      )
}
