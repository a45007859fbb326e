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
  'SERVICE_UNAVAILABLE',
  'SHUTTING_DOWN',
  'UNAUTHENTICATED',
] as const

export type GatewayErrorCode = (typeof GATEWAY_ERROR_CODES)[number]

/** For the client. All other errors except ProviderError are bugs and are masked. */
export class GatewayError extends Error {
  override name = 'GatewayError'
  readonly code: GatewayErrorCode
  /** Such as `images.1.url`. */
  readonly field: string | undefined
  /** If a retry can help. */
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

/** Nothing was done, unless the message says otherwise: retry after `retryAfterMs`. */
export class Unavailable extends GatewayError {
  constructor(problem: string, retryAfterMs: number, cause?: unknown) {
    super('SERVICE_UNAVAILABLE', `${problem} Retry in ${Math.ceil(retryAfterMs / 1000)} s.`, {
      retryAfterMs,
      cause,
    })
  }
}

/** Query builders wrap errors. */
export function gatewayErrorOf(error: unknown): GatewayError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof GatewayError) return cause
  return undefined
}

export function badInput(field: string, message: string): GatewayError {
  return new GatewayError('BAD_USER_INPUT', message, { field })
}

export function conflict(message: string, field?: string): GatewayError {
  return new GatewayError('CONFLICT', message, field === undefined ? {} : { field })
}

/** Also for an id that the caller may not see. */
export function notFound(what: string, id: string, field?: string): GatewayError {
  const message = `There is no ${what} ${JSON.stringify(id.slice(0, 60))}.`
  return new GatewayError('NOT_FOUND', message, field === undefined ? {} : { field })
}
