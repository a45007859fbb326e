import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Settings } from '../../domain.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call } from '../../providers/provider.ts'
import { lost, type AttemptContext, type Outcome } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'
import { adjustSettings } from '../routing/match.ts'
import { toFailure, toOutcome } from './call-outcome.ts'
import { instrumentedCall } from './instrumented-call.ts'

/** Used when the provider names no delay. */
const RECHECK_MS = 5000

/** In a row; then the outcome is lost. */
const MAX_MISSING_CHECKS = 3

/**
 * Checks an accepted attempt. Checks are free of charge, so a failed one is repeated until `timeoutMs` after the attempt
 * was sent. Needs neither offer nor input images, so a paid result survives a configuration change. Never throws.
 */
export async function check(deps: Deps, of: AttemptContext, call: Call, exit: AbortSignal): Promise<Outcome> {
  const { task, attempt } = of
  const provider = findProvider(deps.providers, attempt.provider)!
  const isOverdue = deps.clock.elapsedSince(attempt.sentAt!) >= provider.timeoutMs
  const recheck = (failure?: Failure): Outcome => ({
    state: 'PENDING',
    progress: null,
    checkAfterMs: Math.max(
      Math.min(failure?.retryAfterMs ?? RECHECK_MS, deps.tuning.maxCooldownMs),
      deps.tuning.pollMs,
    ),
  })
  const failLost = (reason: string): Outcome => {
    const unknown = 'Whether the image was made and charged is unknown; it was not sent again.'
    return {
      state: 'FAILED',
      failure: lost(`${provider.name} accepted the request and ${reason}. ${unknown}`),
    }
  }
  if (!provider.check)
    return isOverdue ? failLost('cannot be checked with its current configuration') : recheck()
  const seconds = provider.timeoutMs / 1000
  try {
    const settings = sentSettings(deps, task, attempt)
    const result = await instrumentedCall(deps, 'check', of, call, (instrumented) =>
      provider.check!(attempt.remoteId!, settings, instrumented),
    )
    if (result.state === 'MISSING' && attempt.missingChecks + 1 >= MAX_MISSING_CHECKS)
      return failLost('does not know it any more')
    if (result.state !== 'DONE' && isOverdue) return failLost(`did not finish it within ${seconds} seconds`)
    return await toOutcome(deps, of, result, exit)
  } catch (error) {
    const failure = toFailure(deps, of, error)
    const isOfRequest = error instanceof ProviderError && ['rejected', 'broken'].includes(failure.kind)
    if (isOfRequest) return { state: 'FAILED', failure }
    return isOverdue ? failLost(`could not be checked within ${seconds} seconds`) : recheck(failure)
  }
}

/** The settings that were sent, as far as the offer is still configured. */
export function sentSettings(
  { providers }: Pick<Deps, 'providers'>,
  { request }: TaskRow,
  { n, provider, model }: AttemptRow,
): Settings {
  const requested = { ...request, n }
  const offer = findOffer(providers, provider, model)
  return offer ? adjustSettings(requested, offer.capabilities).settings : requested
}
