import type { Charged, TaskErrorCode } from '../domain.ts'

/**
 * What kind of failure it is, and what the engine does next:
 *
 * | kind        | cause                  | the engine                                                      |
 * |-------------|------------------------|-----------------------------------------------------------------|
 * | `rejected`  | the request            | stops and reports why                                           |
 * | `refused`   | the operator's account | tries another provider                                          |
 * | `busy`      | rate limit, overload   | tries again after `retryAfterMs`, or elsewhere                  |
 * | `unreached` | the network            | tries again: provably no byte of the request left               |
 * | `broken`    | the provider           | tries elsewhere when certainly uncharged, else stops            |
 * | `lost`      | unknown                | holds the attempt as UNKNOWN and never resends it on its own    |
 */
export type FailureKind = 'rejected' | 'refused' | 'busy' | 'unreached' | 'broken' | 'lost'

export interface Failure {
  kind: FailureKind
  code: TaskErrorCode
  /** Shown to the client: no secrets, no markup. */
  message: string
  /** `NO` only when nothing was sent or the upstream said so; in doubt `UNKNOWN`. */
  charged: Charged
  /** How long the upstream asked to wait; absent when it did not. */
  retryAfterMs?: number | undefined
  httpStatus?: number | undefined
  providerRequestId?: string | undefined
  /** True when this server is at fault: the failure then does not count against the provider's health. */
  ours?: boolean
  cause?: unknown
}

/** The only error an adapter throws on purpose. Clients see its `code` and `message` on the task. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
