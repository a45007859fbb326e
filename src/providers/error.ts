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

/** The only error that an adapter throws deliberately. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
