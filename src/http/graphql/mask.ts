import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { GatewayError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { REQUEST_ERRORS } from '../refusal.ts'

/**
 * What a client may read of an error: a GatewayError with its code and field, GraphQL's own errors as they are, and of
 * everything else only an id that stands in the log beside the truth.
 */
export function createMask(log: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    const cause = deepest(error)
    const at = error instanceof GraphQLError ? error : undefined
    const place = { nodes: at?.nodes, path: at?.path, source: at?.source, positions: at?.positions }
    if (cause instanceof GatewayError) {
      return new GraphQLError(cause.message, { ...place, extensions: extensionsOf(cause) })
    }
    if (at && cause === at) return withCode(at)
    const id = randomUUID()
    log.error({ id, err: cause }, 'an unexpected error was hidden from a client')
    return new GraphQLError(`Unexpected error (id ${id}).`, {
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', id },
    })
  }
}

/** What programs read. Whoever asks too often is told so by the status as well: proxies and clients know that one. */
function extensionsOf({ code, field, retryAfterMs }: GatewayError): Record<string, unknown> {
  const seconds = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000))
  const headers = seconds === undefined ? {} : { 'retry-after': `${seconds}` }
  return {
    code,
    ...(field !== undefined && { field }),
    ...(seconds !== undefined && { retryAfter: seconds }),
    ...(code === 'RATE_LIMITED' && {
      http: { status: REQUEST_ERRORS.RATE_LIMITED, spec: false, headers },
    }),
  }
}

/** The error under the GraphQLErrors that were wrapped around it. */
function deepest(error: unknown): unknown {
  let current = error
  while (current instanceof GraphQLError && current.originalError) current = current.originalError
  return current
}

/** GraphQL's own complaints about values carry no code, and Yoga's about JSON carry the parser's error as well. */
function withCode({ message, nodes, path, source, positions, extensions }: GraphQLError): GraphQLError {
  const { originalError: parserError, ...shown } = extensions
  // By that error Yoga knew that no GraphQL was involved; without it, the status must be said.
  const http = parserError === undefined ? {} : { http: { status: 400 } }
  return new GraphQLError(message, {
    nodes,
    path,
    source,
    positions,
    extensions: { code: 'BAD_USER_INPUT', ...shown, ...http },
  })
}
