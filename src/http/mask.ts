import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { GatewayError } from '../errors.ts'
import type { Logger } from '../log.ts'

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
      const extensions = { code: cause.code, ...(cause.field === undefined ? {} : { field: cause.field }) }
      return new GraphQLError(cause.message, { ...place, extensions })
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
