import type { Result } from './endpoint.ts'

export interface Subscription {
  query: string
  variables: object
}

/**
 * One subscription over one connection. Completes when the server does; throws when the connection is lost.
 */
export type Transport = (
  operation: Subscription,
  options: {
    signal: AbortSignal
    /** The server has responded; possibly several times. */
    onOpen: () => void
  },
) => AsyncGenerator<Result, void>
