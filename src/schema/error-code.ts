import type { GatewayErrorCode } from '../errors.ts'
import { describedEnum } from './builder.ts'

/** The compiler compares it with the list in errors.ts. */
export const ErrorCode = describedEnum<GatewayErrorCode>('ErrorCode', {
  description:
    'Why a field refused a request: `extensions.code` of its error, and `code` of an outcome. Requests that are refused before ' +
    'they are executed have further codes, such as GRAPHQL_VALIDATION_FAILED.',
  BAD_USER_INPUT: 'An argument is not valid. `field` has its path.',
  BUDGET_EXCEEDED: 'The worst-case cost does not fit into a budget of the project or the API key.',
  CAPABILITY_MISSING: 'No allowed provider supports the request as it is.',
  CHARGE_PERMISSION_REQUIRED: 'An attempt was or may have been charged. Repeat with permission to pay again.',
  CONFLICT: 'The state of the object does not allow it; the message has the state.',
  CURSOR_INVALID: 'The cursor is malformed, or belongs to another list.',
  FORBIDDEN: 'The API key lacks a scope, or the field is for operators.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key belongs to a task with other input.',
  MODEL_UNKNOWN: 'No provider offers the model.',
  NOT_FOUND: 'There is no such object in the project.',
  PRICE_UNKNOWN: 'A budget applies, and the model has no price.',
  PROVIDER_UNKNOWN: 'No provider with the name is configured.',
  RATE_LIMITED: 'A limit of the project or the API key is reached. Retry after the given time.',
  SERVICE_UNAVAILABLE: 'The database or the data folder is away or busy. Retry after the given time.',
  SHUTTING_DOWN: 'The server is shutting down. Retry in seconds.',
  UNAUTHENTICATED: 'The API key is missing, unknown, revoked or expired.',
})
