import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { claimLookup, listDueLookups } from '../../db/attempts/unknown.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { ProviderError } from '../../providers/error.ts'
import { nextLookupMs } from '../attempts/lookup-delay.ts'
import { storedEvidence } from '../attempts/outcome.ts'
import { settle } from '../attempts/settle.ts'
import { findRemote } from '../attempts/side-call.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'

/** Others wait for the next round. */
const MAX_CONCURRENT_LOOKUPS = 20

/**
 * Looks up attempts with a lost response at providers that can find a request by our id: at once, then after
 * each of `lookupDelaysMs`. One that is found is accepted as if the response had arrived. Else it stays
 * UNKNOWN: a provider without a record may still charge.
 */
export async function reconcile(deps: Deps, stop: AbortSignal): Promise<void> {
  const finders = deps.providers.filter((provider) => provider.find !== undefined)
  if (finders.length === 0) return
  const due = await listDueLookups(deps.db.reports, {
    providers: finders.map(({ name }) => name),
    maxLookups: deps.tuning.lookupDelaysMs.length + 1,
    limit: MAX_CONCURRENT_LOOKUPS,
  })
  await Promise.all(
    due.map((attempt) =>
      // The next lookup is scheduled: a failure loses nothing.
      lookUp(deps, attempt, stop).catch((error: unknown) => {
        const ids = { attempt: attempt.id, provider: attempt.provider, err: error }
        if (error instanceof ProviderError) deps.log.info(ids, 'lookup at the provider failed')
        else deps.log.error(ids, 'lookup failed with an unexpected error')
      }),
    ),
  )
}

async function lookUp(deps: Deps, attempt: AttemptRow, stop: AbortSignal): Promise<void> {
  if (!(await deps.db.tx((q) => claimLookup(q, attempt, nextLookupMs(deps.tuning, attempt.missingChecks)))))
    return
  const found = await findRemote(deps, findProvider(deps.providers, attempt.provider)!, attempt, stop)
  if (!found) return
  // The provider has it, so it was sent, even if unrecorded.
  const isRecordedSent = attempt.wirePhase !== 'NONE' && attempt.wirePhase !== 'INTENT'
  const evidence = storedEvidence(attempt)
  if (!isRecordedSent) evidence.wirePhase = 'DISPATCHED'
  await settle(deps, attempt, evidence, { state: 'ACCEPTED', ...found, checkAfterMs: 0 })
  deps.log.warn({ attempt: attempt.id, ...found }, 'attempt found at the provider')
  deps.wakeUps.wake(QUEUE_KEY)
}
