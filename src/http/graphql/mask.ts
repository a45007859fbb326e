import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { GatewayError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { REQUEST_ERRORS } from '../refusal.ts'

/**
 * Converts an error to what the client may see: a GatewayError with its code and field, a GraphQL error unchanged, and for
 * any other error the id under which the log holds it.
 */
export function createMask(log: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    const cause = causeOf(error)
    const at = error instanceof GraphQLError ? error : undefined
    const location = { nodes: at?.nodes, path: at?.path, source: at?.source, positions: at?.positions }
    if (cause instanceof GatewayError)
      return new GraphQLError(cause.message, { ...location, extensions: extensionsOf(cause) })
    if (at && cause === at) return withCode(at)
    const id = randomUUID()
    log.error({ id, err: cause }, 'operation failed unexpectedly')
    return new GraphQLError(`Unexpected error (id ${id}).`, {
      ...location,
      extensions: { code: 'INTERNAL_SERVER_ERROR', id },
    })
  }
}

/** A rate limit also sets the HTTP status and `retry-after`, which proxies and HTTP clients understand. */
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

/** Unwraps nested GraphQLErrors. */
function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

/** Adds the code that GraphQL's errors about values lack, and removes the JSON parser's error that Yoga adds. */
function withCode({ message, nodes, path, source, positions, extensions }: GraphQLError): GraphQLError {
  const { originalError: parserError, ...visible } = extensions
  // Yoga derives the status 400 from the parser's error.
  const http = parserError === undefined ? {} : { http: { status: 400 } }
  return new GraphQLError(message, {
    nodes,
    path,
    source,
    positions,
    extensions: { code: 'BAD_USER_INPUT', ...visible, ...http },
  })
}
