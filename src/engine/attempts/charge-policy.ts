import type { UncertainCharge } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { ChargePolicy, Provider } from '../../providers/provider.ts'
import type { WireEvidence } from './outcome.ts'

/** A proxy's, for an upstream that did not answer; 524 is Cloudflare's. */
const UNANSWERED_STATUSES: ReadonlySet<number | null> = new Set([504, 524])

export interface UncertainFailure extends Pick<Failure, 'kind' | 'code'> {
  httpStatus: number | null
  /** Accepted requests fail without an answer only by timeout: the status is that of a check. */
  isAccepted: boolean
}

export function uncertainChargeOf({ kind, code, httpStatus, isAccepted }: UncertainFailure): UncertainCharge {
  if (code === 'MODERATION_BLOCKED') return 'MODERATION'
  if (kind !== 'lost') return 'FAILURE'
  const isAnswered = httpStatus !== null && httpStatus >= 500 && !UNANSWERED_STATUSES.has(httpStatus)
  return isAnswered && !isAccepted ? 'FAILURE' : 'TIMEOUT'
}

const SETTINGS = {
  MODERATION: 'moderation',
  FAILURE: 'failure',
  TIMEOUT: 'timeout',
} as const satisfies Record<UncertainCharge, keyof ChargePolicy>

export interface ChargeDecision {
  failure: Failure
  /** The setting that decided; null when the evidence did, or nothing could. */
  chargePolicy: UncertainCharge | null
}

/**
 * Decides an UNKNOWN charge by the provider's `charges`. A lost outcome stays UNKNOWN while its result may
 * still arrive, unless `isFinal`.
 */
export function decideCharge(
  provider: Provider | undefined,
  attempt: { remoteId: string | null },
  evidence: Pick<WireEvidence, 'httpStatus'>,
  { failure, isFinal = false }: { failure: Failure; isFinal?: boolean | undefined },
): ChargeDecision {
  const undecided = { failure, chargePolicy: null }
  if (failure.charged !== 'UNKNOWN' || !provider?.charges) return undecided
  const isLost = failure.kind === 'lost'
  if (isLost && !isFinal && mayStillArrive(provider, attempt, failure)) return undecided
  const httpStatus = failure.httpStatus ?? evidence.httpStatus
  const isAccepted = attempt.remoteId !== null
  const chargePolicy = uncertainChargeOf({ ...failure, httpStatus, isAccepted })
  const charged = provider.charges[SETTINGS[chargePolicy]]
  if (charged === 'UNKNOWN') return undecided
  const ended = isLost ? ({ kind: 'broken', code: 'PROVIDER_BROKEN' } as const) : {}
  return { failure: { ...failure, ...ended, charged }, chargePolicy }
}

/** Internal failures lose the worker, not the answer, which may be on a disk or in another process. */
function mayStillArrive(
  provider: Provider,
  { remoteId }: { remoteId: string | null },
  { isInternal }: Failure,
): boolean {
  return provider.find !== undefined || remoteId !== null || isInternal === true
}
