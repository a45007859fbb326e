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
  /** Sent to the client: no secrets, no markup. */
  message: string
  /** `NO` only when nothing was sent or the provider said so; else `UNKNOWN` or `YES`. */
  charged: Charged
  retryAfterMs?: number | undefined
  httpStatus?: number | undefined
  providerRequestId?: string | undefined
  /** True when the failure is not the provider's: its health is then unaffected. */
  isInternal?: boolean
  cause?: unknown
}

/** What a failure means, without its circumstances. */
export type FailureVerdict = Pick<Failure, 'kind' | 'code' | 'charged'>

export const VERDICTS = {
  REJECTED: { kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'NO' },
  IMAGE_INVALID: { kind: 'rejected', code: 'INPUT_IMAGE_INVALID', charged: 'NO' },
  /** An image may be made before it is blocked. */
  BLOCKED: { kind: 'rejected', code: 'MODERATION_BLOCKED', charged: 'UNKNOWN' },
  MISCONFIGURED: { kind: 'refused', code: 'PROVIDER_MISCONFIGURED', charged: 'NO' },
  QUOTA: { kind: 'refused', code: 'PROVIDER_QUOTA', charged: 'NO' },
  BUSY: { kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' },
  UNREACHED: { kind: 'unreached', code: 'PROVIDER_UNREACHABLE', charged: 'NO' },
  BROKEN: { kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' },
  LOST: { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' },
} satisfies Record<string, FailureVerdict>

/** The only error that an adapter throws deliberately. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
