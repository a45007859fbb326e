import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Settings } from '../../domain.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call, CallResult, Provider } from '../../providers/provider.ts'
import { lost, type AttemptContext, type Outcome } from '../attempts/outcome.ts'
import type { Deps, ShutdownSignals, Tuning } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'
import { adjustSettings } from '../routing/adjust.ts'
import { toFailure, toOutcome } from './call-outcome.ts'
import { instrumentedCall } from './instrumented-call.ts'

const MAX_RECHECK_MS = 60_000

/** In a row; then the outcome is lost. */
const MAX_MISSING_CHECKS = 3
/** In a row. Then an end without an image is believed; after the timeout, the outcome is lost. */
const MAX_FAILED_CHECKS = 5

/**
 * Free of charge, so a failed check is repeated. `timeoutMs` excludes outages of this server and of the provider.
 * Needs neither offer nor input images, so a paid result survives a configuration change. At a shutdown, another
 * process checks it at once. Throws only NotStored.
 */
export async function check(
  deps: Deps,
  of: AttemptContext,
  call: Call,
  { handOver, exit }: ShutdownSignals,
): Promise<Outcome> {
  const { attempt } = of
  const { clock, tuning } = deps
  const provider = findProvider(deps.providers, attempt.provider)!
  const startedAt = clock.monotonic()
  // In the database's time: the lease began when the check was claimed.
  const lateMs = Math.max(0, attempt.leaseUntil! - tuning.leaseMs - attempt.runAfter)
  const unobservedMs = attempt.unobservedMs + lateMs
  const elapsedMs = () => clock.elapsedSince(attempt.sentAt!)
  const unchecked = (failure?: Failure): Outcome => {
    const checkAfterMs = Math.max(recheckMs(attempt.failedChecks, failure, tuning), tuning.pollMs)
    const sinceCheckMs = clock.monotonic() - startedAt + checkAfterMs
    return { state: 'UNCHECKED', checkAfterMs, unobservedMs: Math.round(unobservedMs + sinceCheckMs) }
  }
  if (!provider.check)
    return elapsedMs() < provider.timeoutMs
      ? unchecked()
      : failLost(provider, 'cannot be checked with its current configuration', tuning.resendGraceMs)
  try {
    const signal = AbortSignal.any([call.signal, handOver])
    const result = await askProvider(deps, of, { ...call, signal })
    if (result.state === 'MISSING' && attempt.missingChecks + 1 >= MAX_MISSING_CHECKS)
      return failLost(provider, 'does not know it any more')
    if (result.state === 'PENDING' && elapsedMs() - unobservedMs >= provider.timeoutMs)
      return failLost(provider, `did not finish it within ${inSeconds(provider.timeoutMs, unobservedMs)}`)
    const outcome = await toOutcome(deps, of, result, exit)
    return outcome.state === 'PENDING' || outcome.state === 'MISSING' ? { ...outcome, unobservedMs } : outcome
  } catch (error) {
    const failure = toFailure(deps, of, error)
    if (handOver.aborted && !isFinal(error)) return { state: 'RELEASED' }
    const failed = attempt.failedChecks + 1
    if (isFinal(error) || (failure.isUnproven && failed >= MAX_FAILED_CHECKS))
      return { state: 'FAILED', failure }
    if (failure.isUnproven) return unchecked(failure)
    if (failed < MAX_FAILED_CHECKS || elapsedMs() < provider.timeoutMs) return unchecked(failure)
    return failLost(provider, `could not be checked: the last ${failed} checks failed`, tuning.resendGraceMs)
  }
}

/** As far as the offer is still configured. */
export function sentSettings(
  { providers }: Pick<Deps, 'providers'>,
  { request }: TaskRow,
  { n, provider, model }: AttemptRow,
): Settings {
  const requested = { ...request, n }
  const offer = findOffer(providers, provider, model)
  return offer ? adjustSettings(requested, offer.capabilities).settings : requested
}

export function askProvider(deps: Deps, of: AttemptContext, call: Call): Promise<CallResult> {
  const { task, attempt } = of
  const provider = findProvider(deps.providers, attempt.provider)!
  const settings = sentSettings(deps, task, attempt)
  return instrumentedCall(deps, 'check', of, call, (instrumented) =>
    provider.check!(attempt.remoteId!, settings, instrumented),
  )
}

/** Whether a failed check tells the outcome of the attempt. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof ProviderError)) return false
  const { kind, isUnproven } = error.failure
  return !isUnproven && (kind === 'rejected' || kind === 'broken')
}

function failLost({ name }: Provider, reason: string, minResendDelayMs = 0): Outcome {
  const unknown = 'Whether the image was made and charged is unknown; it was not sent again.'
  const failure = lost(`${name} accepted the request and ${reason}. ${unknown}`)
  return { state: 'FAILED', failure, minResendDelayMs }
}

/** As the provider asks, else exponential. */
function recheckMs(
  failedChecks: number,
  failure: Failure | undefined,
  tuning: Pick<Tuning, 'maxCooldownMs' | 'recheckMs'>,
): number {
  if (failure?.retryAfterMs !== undefined) return Math.min(failure.retryAfterMs, tuning.maxCooldownMs)
  return Math.min(tuning.recheckMs * 2 ** failedChecks, Math.max(tuning.recheckMs, MAX_RECHECK_MS))
}

function inSeconds(timeoutMs: number, unobservedMs: number): string {
  const outage = Math.round(unobservedMs / 1000)
  const excluded = outage > 0 ? `, not counting ${outage} seconds in which it was not asked` : ''
  return `${timeoutMs / 1000} seconds${excluded}`
}
