import type { Charged, Task } from './generated.ts'

export interface ErrorDetails {
  /** Whether money was or may have been spent. By default NO. */
  charged?: Charged
  /** Path of the input at fault, such as `images.1.url`. */
  field?: string | undefined
  /** When a repetition may succeed. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** Every error of this client. Its class groups codes that programs handle alike. */
export class DarkroomError extends Error {
  override name = 'DarkroomError'
  readonly code: string
  /** Whether the request that failed cost money. UNKNOWN if the client cannot tell. */
  readonly charged: Charged
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.charged = details.charged ?? 'NO'
    this.field = details.field
    this.retryAfterMs = details.retryAfterMs
  }
}

/** The request must be changed: `field` names the input at fault. */
export class InputError extends DarkroomError {
  override name = 'InputError'
}

/** The key is missing, invalid, expired or revoked, or lacks a scope; or the server refuses the page's origin. */
export class AccessError extends DarkroomError {
  override name = 'AccessError'
}

export class NotFoundError extends DarkroomError {
  override name = 'NotFoundError'
}

/** The task is in another state, or the idempotency key was used with other input. */
export class ConflictError extends DarkroomError {
  override name = 'ConflictError'
}

/** A budget would be exceeded, or the model has no price by which to count it. */
export class BudgetError extends DarkroomError {
  override name = 'BudgetError'
}

/** Too many requests: try again after `retryAfterMs`. */
export class RateLimitError extends DarkroomError {
  override name = 'RateLimitError'
}

/** The server refuses work for now. */
export class UnavailableError extends DarkroomError {
  override name = 'UnavailableError'
}

/** The server did not respond. */
export class ConnectionError extends DarkroomError {
  override name = 'ConnectionError'
}

/** The server failed, or what responded is not Darkroom. */
export class ServerError extends DarkroomError {
  override name = 'ServerError'
}

/** The task ended without the requested images, or its outcome is unknown. `code` is that of `task.error`. */
export class TaskError extends DarkroomError {
  override name = 'TaskError'
  readonly task: Task

  constructor(code: string, message: string, task: Task) {
    super(code, message, { charged: task.charged })
    this.task = task
  }
}

type ErrorClass = new (code: string, message: string, details?: ErrorDetails) => DarkroomError

/** Absent codes mean that the request must be changed. */
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  UNAUTHENTICATED: AccessError,
  FORBIDDEN: AccessError,
  CSRF_REQUIRED: AccessError,
  HOST_NOT_ALLOWED: AccessError,
  ORIGIN_NOT_ALLOWED: AccessError,
  NOT_FOUND: NotFoundError,
  CONFLICT: ConflictError,
  IDEMPOTENCY_KEY_REUSED: ConflictError,
  CHARGE_PERMISSION_REQUIRED: ConflictError,
  BUDGET_EXCEEDED: BudgetError,
  PRICE_UNKNOWN: BudgetError,
  RATE_LIMITED: RateLimitError,
  TOO_MANY_SUBSCRIPTIONS: RateLimitError,
  SERVICE_UNAVAILABLE: UnavailableError,
  SHUTTING_DOWN: UnavailableError,
  REQUEST_TIMEOUT: ConnectionError,
  CONNECTION_LOST: ConnectionError,
  INTERNAL_SERVER_ERROR: ServerError,
  BAD_RESPONSE: ServerError,
}

export function createError(code: string, message: string, details?: ErrorDetails): DarkroomError {
  return new (CLASSES[code] ?? InputError)(code, message, details)
}

/** The request or connection ended without a result: whether anything was done is unknown. */
export function connectionLost(message: string, cause?: unknown): DarkroomError {
  return createError('CONNECTION_LOST', message, { cause })
}

export interface ResponseError {
  message: string
  extensions?: { code?: string; field?: string; retryAfter?: number }
}

export function errorOf(errors: readonly ResponseError[] | undefined): DarkroomError {
  const [first] = errors ?? []
  if (!first) return createError('BAD_RESPONSE', 'The response has neither data nor errors.')
  const { code = 'INTERNAL_SERVER_ERROR', field, retryAfter } = first.extensions ?? {}
  return createError(code, first.message, { field, ...retryDetails(retryAfter) })
}

/** For responses of proxies and other servers. */
const STATUS_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'REQUEST_TIMEOUT',
  413: 'REQUEST_TOO_LARGE',
  429: 'RATE_LIMITED',
}

export function errorOfStatus(response: Response): DarkroomError {
  const { status, headers } = response
  // A proxy may have lost the response to a request that was executed.
  const code = STATUS_CODES[status] ?? (status > 500 ? 'CONNECTION_LOST' : 'BAD_RESPONSE')
  const type = headers.get('content-type') ?? 'no content type'
  return createError(code, `The response is not from Darkroom: status ${status}, ${type}.`, {
    ...retryDetails(Number(headers.get('retry-after') ?? Number.NaN)),
  })
}

function retryDetails(seconds: number | undefined): ErrorDetails {
  return seconds !== undefined && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}
}
