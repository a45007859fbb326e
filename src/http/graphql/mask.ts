import { randomUUID } from 'node:crypto'
import { GraphQLError, type GraphQLErrorExtensions } from 'graphql'
import { gatewayErrorOf, type GatewayError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { REQUEST_ERRORS, retryAfterOf, retryHeaders } from '../refusal.ts'

/** Shows GatewayErrors and GraphQL errors. Logs others and shows only an id. */
export function createMask(log: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    let cause = error
    while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
    const at = error instanceof GraphQLError ? error : undefined
    const known = gatewayErrorOf(cause)
    if (known?.code === 'SERVICE_UNAVAILABLE') log.warn({ reason: known.message }, 'operation refused')
    if (known) return toGraphQLError(known.message, extensionsOf(known), at)
    if (at && cause === at) return withCode(at)
    const id = randomUUID()
    log.error({ id, err: cause }, 'operation failed unexpectedly')
    return toGraphQLError(`Unexpected error (id ${id}).`, { code: 'INTERNAL_SERVER_ERROR', id }, at)
  }
}

export function toGraphQLError(
  message: string,
  extensions: GraphQLErrorExtensions,
  at: GraphQLError | undefined,
): GraphQLError {
  const { nodes, path, source, positions } = at ?? {}
  return new GraphQLError(message, { nodes, path, source, positions, extensions })
}

function extensionsOf(error: GatewayError): GraphQLErrorExtensions {
  const { code, field } = error
  const retryAfter = retryAfterOf(error)
  return {
    code,
    ...(field !== undefined && { field }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...((code === 'RATE_LIMITED' || code === 'SERVICE_UNAVAILABLE' || code === 'SHUTTING_DOWN') && {
      http: { status: REQUEST_ERRORS[code], spec: false, headers: retryHeaders(error) },
    }),
  }
}

/** GraphQL's errors about values have no code; Yoga's about JSON include the parser's error. */
function withCode(error: GraphQLError): GraphQLError {
  const { originalError: parserError, ...visible } = error.extensions
  // Yoga derives the status 400 from the parser's error.
  const http = parserError === undefined ? {} : { http: { status: 400 } }
  return toGraphQLError(error.message, { code: 'BAD_USER_INPUT', ...visible, ...http }, error)
}
