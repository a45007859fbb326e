import type { Charged, TaskErrorCode } from '../domain.ts'

/**
 * | kind        | cause                    | the engine                                                  |
 * |-------------|--------------------------|-------------------------------------------------------------|
 * | `rejected`  | the request              | stops and reports why                                       |
 * | `refused`   | the operator's account   | tries another provider                                      |
 * | `busy`      | a rate limit or overload | tries again after `retryAfterMs`, or elsewhere              |
 * | `unreached` | the network              | tries again: provably no byte of the request left           |
 * | `broken`    | the provider             | tries elsewhere when certainly uncharged, else stops        |
 * | `lost`      | unknown                  | holds the attempt as UNKNOWN, never resends it on its own   |
 */
export type FailureKind = 'rejected' | 'refused' | 'busy' | 'unreached' | 'broken' | 'lost'

export interface Failure {
  kind: FailureKind
  code: TaskErrorCode
  /** Shown to the client: no secrets, no markup. */
  message: string
  /** `NO` only when nothing was sent or the upstream said so; in doubt `UNKNOWN`. */
  charged: Charged
  /** As the upstream asked to wait. */
  retryAfterMs?: number | undefined
  httpStatus?: number | undefined
  providerRequestId?: string | undefined
  /** True when this server is at fault: the provider's health is then unaffected. */
  ours?: boolean
  cause?: unknown
}

/** The only error an adapter throws on purpose. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
