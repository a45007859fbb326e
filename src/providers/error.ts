import type { Charged, TaskErrorCode } from '../domain.ts'

/**
 * | kind        | cause                    | the engine                                           |
 * |-------------|--------------------------|------------------------------------------------------|
 * | `rejected`  | the request              | stops                                                |
 * | `refused`   | the operator's account   | tries another provider                               |
 * | `busy`      | a rate limit or overload | retries after `retryAfterMs`, or elsewhere           |
 * | `unreached` | the network              | retries: provably no byte of the request left        |
 * | `broken`    | the provider             | tries elsewhere when certainly uncharged, else stops |
 * | `lost`      | unknown                  | marks the attempt UNKNOWN; resends only if permitted |
 */
export type FailureKind = 'rejected' | 'refused' | 'busy' | 'unreached' | 'broken' | 'lost'

export interface Failure {
  kind: FailureKind
  code: TaskErrorCode
  /** For clients: no secrets, no markup. */
  message: string
  /** `NO` only if nothing was sent or the provider said so. */
  charged: Charged
  retryAfterMs?: number | undefined
  httpStatus?: number | undefined
  providerRequestId?: string | undefined
  /** Of a check that reports an end without result or reason: the reply may be damaged, so it is asked again. */
  isUnproven?: true
  /** Not the provider's failure: its health is unaffected. */
  isInternal?: boolean
  cause?: unknown
}

export type FailureVerdict = Pick<Failure, 'kind' | 'code' | 'charged'>

export const VERDICTS = {
  REJECTED: verdict('rejected', 'PROVIDER_REJECTED', 'NO'),
  IMAGE_INVALID: verdict('rejected', 'INPUT_IMAGE_INVALID', 'NO'),
  /** An image may exist before it is blocked. */
  BLOCKED: verdict('rejected', 'MODERATION_BLOCKED', 'UNKNOWN'),
  MISCONFIGURED: verdict('refused', 'PROVIDER_MISCONFIGURED', 'NO'),
  QUOTA: verdict('refused', 'PROVIDER_QUOTA', 'NO'),
  BUSY: verdict('busy', 'PROVIDER_RATE_LIMITED', 'NO'),
  UNREACHED: verdict('unreached', 'PROVIDER_UNREACHABLE', 'NO'),
  BROKEN: verdict('broken', 'PROVIDER_BROKEN', 'UNKNOWN'),
  LOST: verdict('lost', 'OUTCOME_UNKNOWN', 'UNKNOWN'),
}

function verdict(kind: FailureKind, code: TaskErrorCode, charged: Charged): FailureVerdict {
  return { kind, code, charged }
}

/** Adapters throw no other error deliberately. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
