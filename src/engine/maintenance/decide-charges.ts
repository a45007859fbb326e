import { listUnknownSince } from '../../db/attempts/review.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Provider } from '../../providers/provider.ts'
import { decideCharge } from '../attempts/charge-policy.ts'
import { lost, storedEvidence } from '../attempts/outcome.ts'
import { settle } from '../attempts/settle.ts'
import type { Deps } from '../deps.ts'

const PAGE = 100

/**
 * Ends unknown outcomes by their provider's `charges`, once the last lookup was due and no result can be
 * expected.
 */
export async function decideUnknownCharges(deps: Deps, stop: AbortSignal): Promise<void> {
  for (const provider of deps.providers) {
    const { failure = 'UNKNOWN', timeout = 'UNKNOWN' } = provider.charges ?? {}
    if (failure === 'UNKNOWN' && timeout === 'UNKNOWN') continue
    const waitMs = provider.timeoutMs + Math.max(0, ...deps.tuning.lookupDelaysMs)
    const sentBefore = deps.clock.now() - waitMs
    let after: AttemptRow | undefined
    for (;;) {
      const page = await listUnknownSince(deps.db.reports, {
        provider: provider.name,
        sentBefore,
        after,
        limit: PAGE,
      })
      for (const attempt of page) if (!stop.aborted) await decide(deps, provider, attempt)
      after = page.at(-1)
      if (page.length < PAGE || stop.aborted) break
    }
  }
}

async function decide(deps: Deps, provider: Provider, attempt: AttemptRow): Promise<void> {
  const evidence = storedEvidence(attempt)
  const failure = lost(attempt.error?.message ?? 'The outcome is unknown.', { isInternal: true })
  const { chargePolicy } = decideCharge(provider, attempt, evidence, { failure, isFinal: true })
  if (chargePolicy === null) return
  await settle(deps, attempt, evidence, { state: 'FAILED', failure, isFinal: true })
  deps.log.warn({ attempt: attempt.id, chargePolicy }, 'unknown charge decided by the configuration')
}
