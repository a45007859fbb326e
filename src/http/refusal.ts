import { GraphQLError } from 'graphql'
import type { GatewayError, GatewayErrorCode } from '../errors.ts'

/** For invalid requests, with HTTP status. errors.ts has those of resolvers. */
export const REQUEST_ERRORS = {
  /** Yoga also uses it with 405. */
  BAD_REQUEST: 400,
  MULTIPART_INVALID: 400,
  MAP_INVALID: 400,
  FILE_MISSING: 400,
  FILE_EXPECTED: 400,
  FILE_NOT_MAPPED: 400,
  BAD_CALLBACK: 400,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  OPERATION_RESOLUTION_FAILURE: 400,
  QUERY_TOO_LARGE: 400,
  TOO_MANY_ALIASES: 400,
  TOO_MANY_ROOT_FIELDS: 400,
  KEY_IN_URL: 400,
  UNAUTHENTICATED: 401,
  TOO_MANY_SUBSCRIPTIONS: 429,
  RATE_LIMITED: 429,
  INTROSPECTION_DISABLED: 403,
  OPERATION_NOT_LISTED: 403,
  CSRF_REQUIRED: 403,
  HOST_NOT_ALLOWED: 403,
  ORIGIN_NOT_ALLOWED: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  REQUEST_TIMEOUT: 408,
  GONE: 410,
  REQUEST_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  HEADERS_TOO_LARGE: 431,
  INTERNAL_SERVER_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
} as const

export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  // For browsers without frame-ancestors.
  'x-frame-options': 'DENY',
}

export type RequestErrorCode = keyof typeof REQUEST_ERRORS

export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  // Without `spec: false`, Yoga answers clients that accept application/json with 200.
  return new GraphQLError(message, {
    extensions: { code, http: { status: REQUEST_ERRORS[code], spec: false } },
  })
}

export function bodyTooLarge(maxBytes: number): GraphQLError {
  return requestError('REQUEST_TOO_LARGE', `The body is too large; the maximum is ${maxBytes} bytes.`)
}

export function refusal(
  code: RequestErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { code, message } }, { status: REQUEST_ERRORS[code], headers })
}

/** In the form of a GraphQL response. */
export function graphqlRefusal(
  code: RequestErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const body = { errors: [{ message, extensions: { code } }] }
  return Response.json(body, { status: REQUEST_ERRORS[code], headers })
}

export function gatewayErrorRefusal(error: GatewayError): Response {
  const { code, message } = error
  const headers: Record<string, string> =
    code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer realm="darkroom"' } : retryHeaders(error)
  return Response.json({ error: { code, message } }, { status: statusOf(code), headers })
}

/** In whole seconds, at least 1; undefined when a retry is useless. */
export function retryAfterOf({ retryAfterMs }: GatewayError): number | undefined {
  return retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000))
}

export function retryHeaders(error: GatewayError): Record<string, string> {
  const seconds = retryAfterOf(error)
  return seconds === undefined ? {} : { 'retry-after': `${seconds}` }
}

export function statusOf(code: GatewayErrorCode): number {
  const statuses: Partial<Record<GatewayErrorCode, number>> = REQUEST_ERRORS
  return statuses[code] ?? 400
}
