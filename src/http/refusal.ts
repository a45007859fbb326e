// How a request is refused before any resolver runs: the closed list of codes, and the two forms of an answer.
import { GraphQLError } from 'graphql'

/** Every code for a request that is wrong as a request, with its HTTP status. What resolvers refuse stands in errors.ts. */
export const REQUEST_ERRORS = {
  /** No HTTP, no JSON, or no GraphQL request. Yoga also answers so, with 405, where a method is wrong. */
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
  /** Too long, too deep or too costly: what was asked, not what came. */
  QUERY_TOO_LARGE: 400,
  TOO_MANY_ALIASES: 400,
  TOO_MANY_ROOT_FIELDS: 400,
  /** Addresses end up in logs and histories, where no credential may be. */
  KEY_IN_URL: 400,
  UNAUTHENTICATED: 401,
  TOO_MANY_SUBSCRIPTIONS: 429,
  RATE_LIMITED: 429,
  INTROSPECTION_DISABLED: 403,
  CSRF_REQUIRED: 403,
  HOST_NOT_ALLOWED: 403,
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
  /** A bug or a broken disk. The truth stands in the log beside the id that is shown. */
  INTERNAL_SERVER_ERROR: 500,
} as const

export type RequestErrorCode = keyof typeof REQUEST_ERRORS

/** The refusal as a GraphQL error. Its HTTP status counts whatever form of answer the client accepts. */
export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  // Without `spec: false`, clients that accept application/json would be answered with 200.
  return new GraphQLError(message, {
    extensions: { code, http: { status: REQUEST_ERRORS[code], spec: false } },
  })
}

/** The body of every refusal outside of GraphQL. */
export function refusalBody(code: RequestErrorCode, message: string): { error: object } {
  return { error: { code, message } }
}

/** The refusal as a response outside of GraphQL. */
export function refusal(
  code: RequestErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(refusalBody(code, message), { status: REQUEST_ERRORS[code], headers })
}
