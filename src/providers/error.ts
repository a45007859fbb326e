import type { Charged, TaskErrorCode } from '../domain.ts'

/**
 * What kind of failure it was, and with that whose turn it is:
 *
 * | kind        | whose fault         | what the engine does                                    |
 * |-------------|---------------------|---------------------------------------------------------|
 * | `rejected`  | the request's       | stops; tells the client why                             |
 * | `refused`   | our account's there | goes elsewhere; again here would end the same           |
 * | `busy`      | nobody's            | again after `retryAfterMs`, or elsewhere                |
 * | `unreached` | the network's       | again: provably not one byte of the request left        |
 * | `broken`    | the provider's      | again elsewhere when certainly uncharged, else stops    |
 * | `lost`      | unknown             | holds the attempt as UNKNOWN; never sends it again alone |
 */
export type FailureKind = 'rejected' | 'refused' | 'busy' | 'unreached' | 'broken' | 'lost'

export interface Failure {
  kind: FailureKind
  code: TaskErrorCode
  /** Written for the client, free of secrets and of markup. */
  message: string
  /** `NO` only when the upstream said so or nothing was sent; when in doubt `UNKNOWN`. */
  charged: Charged
  /** How long the upstream asked us to wait; absent when it did not say. */
  retryAfterMs?: number | undefined
  httpStatus?: number | undefined
  providerRequestId?: string | undefined
  /** True when the fault is this server's own: it then says nothing about how the provider is. */
  ours?: boolean
  cause?: unknown
}

/** The only error an adapter throws on purpose. Read by the engine; clients see its `code` and `message` on the task. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
  }
}
