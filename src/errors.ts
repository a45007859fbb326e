/** Every code a client may meet in `extensions.code`. The list is closed: what is not here is a bug and is masked. */
export const GATEWAY_ERROR_CODES = [
  'BAD_USER_INPUT',
  'BUDGET_EXCEEDED',
  'CAPABILITY_MISSING',
  'CURSOR_INVALID',
  'FORBIDDEN',
  'IDEMPOTENCY_KEY_REUSED',
  'MODEL_UNKNOWN',
  'NOT_FOUND',
  'PRICE_UNKNOWN',
  'PROVIDER_UNKNOWN',
  'RATE_LIMITED',
  'CONFLICT',
  'CHARGE_PERMISSION_REQUIRED',
  'SHUTTING_DOWN',
  'UNAUTHENTICATED',
] as const

export type GatewayErrorCode = (typeof GATEWAY_ERROR_CODES)[number]

/**
 * An error written for the client: what was wrong, with which value, and what would be right. Its message is safe to
 * show. Everything that is neither this nor a ProviderError is a bug, logged with an id and shown as "Unexpected error".
 */
export class GatewayError extends Error {
  override name = 'GatewayError'
  readonly code: GatewayErrorCode
  /** The input field at fault, as a path such as `images.1.url`; undefined when no single one is. */
  readonly field: string | undefined
  /** When the same request may be right, from now; undefined when time does not help or nobody knows. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: GatewayErrorCode,
    message: string,
    options: { field?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.field = options.field
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A GatewayError about one input field, the commonest kind. */
export function badInput(field: string, message: string): GatewayError {
  return new GatewayError('BAD_USER_INPUT', message, { field })
}

/** A GatewayError for an id that names nothing the caller may see. Only the first characters of the id are repeated. */
export function notFound(what: string, id: string, field?: string): GatewayError {
  const message = `There is no ${what} ${JSON.stringify(id.slice(0, 60))}.`
  return new GatewayError('NOT_FOUND', message, field === undefined ? {} : { field })
}
