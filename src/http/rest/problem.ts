// The only place that decides what a failed request looks like to an SDK, and so whether it asks again.
import type { Charged, TaskError, TaskErrorCode, TaskStatus } from '../../domain.ts'
import type { GatewayError, GatewayErrorCode } from '../../errors.ts'
import { REQUEST_ERRORS, type RequestErrorCode } from '../refusal.ts'

/** Why a request gets no images. */
export type RestFailure =
  /** Before a task exists. `param`: the field as the client named it. */
  | { is: 'REFUSED'; error: GatewayError; param: string | null }
  /** As REFUSED, by a rule of this API. */
  | { is: 'INVALID'; code: InvalidCode; message: string; param: string | null }
  | { is: 'HTTP'; code: RequestErrorCode; message: string }
  /** `isKeyed`: asking again with the same idempotency key only repeats this. */
  | { is: 'TASK'; task: FailedTask; charged: Charged; isKeyed: boolean; param: string | null }
  /** The task goes on. `attaches`: asking again certainly waits for the same task. */
  | { is: 'WAITING'; taskId: string; charged: Charged; attaches: boolean }
  | { is: 'EXPIRED'; taskId: string; charged: Charged }
  /** `id`: of the log line. */
  | { is: 'BUG'; id: string; taskId: string | null }

export interface FailedTask {
  id: string
  status: TaskStatus
  error: TaskError | null
}

export interface Problem {
  status: number
  type: string
  code: string
  param: string | null
  message: string
  /** `x-should-retry`. */
  retry: boolean
  /** Whole seconds for `Retry-After`, at most 60: some SDKs wait for as long as it says. */
  retryAfter: number | null
  /** Further members of the error. */
  details: Readonly<Record<string, string | number | null>>
}

type Kind = Pick<Problem, 'status' | 'type' | 'code' | 'retry'>

const INVALID = 'invalid_request_error'

function kind(status: number, type: string, code: string, retry = false): Kind {
  return { status, type, code, retry }
}

const INVALID_CODES = {
  missing_required_parameter: 400,
  invalid_value: 400,
  unsupported_value: 400,
  unsupported_parameter: 400,
} as const

export type InvalidCode = keyof typeof INVALID_CODES

const REFUSALS: Readonly<Record<GatewayErrorCode, Kind>> = {
  BAD_USER_INPUT: kind(400, INVALID, 'invalid_value'),
  CAPABILITY_MISSING: kind(400, INVALID, 'unsupported_value'),
  MODEL_UNKNOWN: kind(404, INVALID, 'model_not_found'),
  PROVIDER_UNKNOWN: kind(400, INVALID, 'invalid_value'),
  CURSOR_INVALID: kind(400, INVALID, 'invalid_value'),
  NOT_FOUND: kind(404, INVALID, 'not_found'),
  UNAUTHENTICATED: kind(401, 'authentication_error', 'invalid_api_key'),
  FORBIDDEN: kind(403, 'permission_error', 'insufficient_permissions'),
  // 429 is what OpenAI sends, and what the AI SDK and .NET send three times.
  BUDGET_EXCEEDED: kind(402, 'insufficient_quota', 'budget_exceeded'),
  PRICE_UNKNOWN: kind(402, 'insufficient_quota', 'price_unknown'),
  RATE_LIMITED: kind(429, 'rate_limit_error', 'rate_limit_exceeded', true),
  IDEMPOTENCY_KEY_REUSED: kind(422, 'idempotency_error', 'idempotency_key_reused'),
  // All SDKs repeat a 409.
  CONFLICT: kind(400, INVALID, 'conflict'),
  CHARGE_PERMISSION_REQUIRED: kind(400, INVALID, 'charge_permission_required'),
  SERVICE_UNAVAILABLE: kind(503, 'server_error', 'service_unavailable', true),
  SHUTTING_DOWN: kind(503, 'server_error', 'shutting_down', true),
}

/** Codes that differ from the name in lower case, and types that differ from `invalid_request_error`. */
const HTTP_CODES: Partial<Record<RequestErrorCode, [code: string, type?: string]>> = {
  BAD_REQUEST: ['invalid_request'],
  MULTIPART_INVALID: ['invalid_request'],
  FILE_MISSING: ['invalid_request'],
  FILE_EXPECTED: ['invalid_request'],
  HEADERS_TOO_LARGE: ['request_too_large'],
  NOT_ACCEPTABLE: ['unsupported_media_type'],
  NOT_FOUND: ['unknown_url'],
  GONE: ['endpoint_retired'],
  UNAUTHENTICATED: ['invalid_api_key', 'authentication_error'],
  INTERNAL_SERVER_ERROR: ['internal_error', 'server_error'],
  SERVICE_UNAVAILABLE: ['service_unavailable', 'server_error'],
  SHUTTING_DOWN: ['shutting_down', 'server_error'],
}

/** Nothing was done after these. */
const HTTP_RETRIES: ReadonlySet<RequestErrorCode> = new Set([
  'REQUEST_TIMEOUT',
  'INTERNAL_SERVER_ERROR',
  'SERVICE_UNAVAILABLE',
  'SHUTTING_DOWN',
])

const UPSTREAM = 'upstream_error'
const USER = 'image_generation_user_error'

/** If nothing was charged. */
const UNCHARGED: Readonly<Record<TaskErrorCode, Kind>> = {
  MODERATION_BLOCKED: kind(400, USER, 'moderation_blocked'),
  PROVIDER_RATE_LIMITED: kind(429, 'rate_limit_error', 'provider_rate_limited', true),
  // Another try is of no use, and some SDKs repeat a 503 whatever `x-should-retry` says.
  PROVIDER_QUOTA: kind(424, UPSTREAM, 'provider_quota'),
  PROVIDER_MISCONFIGURED: kind(424, UPSTREAM, 'provider_misconfigured'),
  PROVIDER_REJECTED: kind(400, USER, 'provider_rejected'),
  PROVIDER_UNREACHABLE: kind(503, UPSTREAM, 'provider_unreachable', true),
  PROVIDER_BROKEN: kind(502, UPSTREAM, 'provider_broken', true),
  RESULT_UNREACHABLE: kind(424, UPSTREAM, 'result_unreachable'),
  INPUT_IMAGE_INVALID: kind(400, INVALID, 'invalid_image_file'),
  INPUT_IMAGE_UNREACHABLE: kind(400, INVALID, 'invalid_image_url'),
  OUTCOME_UNKNOWN: kind(424, UPSTREAM, 'outcome_unknown'),
  INTERNAL: kind(500, 'server_error', 'internal_error', true),
}

const MAX_RETRY_AFTER_SECONDS = 60
const DEFAULT_RETRY_SECONDS = 2

// oxlint-disable-next-line typescript/consistent-return -- all cases return
export function problemOf(failure: RestFailure): Problem {
  switch (failure.is) {
    case 'REFUSED':
      return refusalOf(failure)
    case 'INVALID':
      return withDefaults(kind(INVALID_CODES[failure.code], INVALID, failure.code), failure.message, {
        param: failure.param,
      })
    case 'HTTP':
      return httpProblem(failure.code, failure.message)
    case 'TASK':
      return taskProblem(failure)
    case 'WAITING':
      return waitingProblem(failure)
    case 'EXPIRED':
      return withDefaults(
        kind(410, INVALID, 'result_expired'),
        'The images of this task are no longer stored.',
        { details: detailsOf(failure.taskId, failure.charged) },
      )
    case 'BUG': {
      const { id, taskId } = failure
      // Once there is a task, it may have been charged.
      const bug = taskId === null ? UNCHARGED.INTERNAL : kind(424, 'server_error', 'internal_error')
      const details = taskId === null ? {} : detailsOf(taskId, 'UNKNOWN')
      return withDefaults(bug, `Unexpected error (id ${id}).`, { details })
    }
  }
}

function refusalOf({ error, param }: Extract<RestFailure, { is: 'REFUSED' }>): Problem {
  const { code, message, retryAfterMs } = error
  const found = REFUSALS[code]
  const seconds = retryAfterMs === undefined ? null : Math.max(1, Math.ceil(retryAfterMs / 1000))
  // A limit that waiting does not lift, or not for long.
  const isTooLong = code === 'RATE_LIMITED' && (seconds === null || seconds > MAX_RETRY_AFTER_SECONDS)
  return withDefaults({ ...found, retry: found.retry && !isTooLong }, message, {
    param,
    retryAfter: seconds,
    details: retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(retryAfterMs) },
  })
}

function httpProblem(code: RequestErrorCode, message: string): Problem {
  const [name = code.toLowerCase(), type = INVALID] = HTTP_CODES[code] ?? []
  return withDefaults(kind(REQUEST_ERRORS[code], type, name, HTTP_RETRIES.has(code)), message, {})
}

function taskProblem({ task, charged, isKeyed, param }: Extract<RestFailure, { is: 'TASK' }>): Problem {
  const { code, message, providerRequestId = null } = errorOf(task)
  const found = code === 'CANCELED' ? kind(424, UPSTREAM, 'task_canceled') : UNCHARGED[code]
  // Moderation has judged the request: no SDK repeats a 400.
  const isHidden = charged !== 'NO' && code !== 'MODERATION_BLOCKED'
  const shown = isHidden ? kind(424, UPSTREAM, found.code) : found
  return withDefaults({ ...shown, retry: shown.retry && !isKeyed }, message, {
    param: code === 'INPUT_IMAGE_INVALID' || code === 'INPUT_IMAGE_UNREACHABLE' ? param : null,
    details: { ...detailsOf(task.id, charged), provider_request_id: providerRequestId },
  })
}

function errorOf({ status, error }: FailedTask): {
  code: TaskErrorCode | 'CANCELED'
  message: string
  providerRequestId?: string | null
} {
  if (status === 'CANCELED') return { code: 'CANCELED', message: 'The task was canceled.' }
  if (status === 'OUTCOME_UNKNOWN')
    return {
      code: 'OUTCOME_UNKNOWN',
      message:
        'The response of the provider was lost. It may have charged the request, so it is not sent again. If the images ' +
        'arrive later, the same request receives them.',
      providerRequestId: error?.providerRequestId ?? null,
    }
  return error ?? { code: 'INTERNAL', message: 'The task ended without images.' }
}

function waitingProblem({ taskId, charged, attaches }: Extract<RestFailure, { is: 'WAITING' }>): Problem {
  const details = detailsOf(taskId, charged)
  if (!attaches)
    return withDefaults(
      kind(424, 'server_error', 'still_developing'),
      `The images are not finished. Do not repeat the request: GET /v1/images/tasks/${taskId} returns them.`,
      { details },
    )
  return withDefaults(
    kind(503, 'server_error', 'still_developing', true),
    'The images are not finished. Repeat the same request to wait for them: it costs nothing.',
    { details, retryAfter: 1 },
  )
}

function detailsOf(taskId: string, charged: Charged): Problem['details'] {
  return { task_id: taskId, charged: charged.toLowerCase() }
}

function withDefaults(
  found: Kind,
  message: string,
  {
    param = null,
    retryAfter = found.retry ? DEFAULT_RETRY_SECONDS : null,
    details = {},
  }: Partial<Pick<Problem, 'param' | 'retryAfter' | 'details'>>,
): Problem {
  const seconds = retryAfter === null ? null : Math.min(retryAfter, MAX_RETRY_AFTER_SECONDS)
  return { ...found, message, param, retryAfter: seconds, details }
}

export function errorBody({ message, type, param, code, details }: Problem): object {
  return { error: { message, type, param, code, ...details } }
}

export function problemHeaders({ status, retry, retryAfter, details }: Problem): Record<string, string> {
  const { task_id: taskId, charged } = details
  return {
    'x-should-retry': String(retry),
    ...(retryAfter !== null && { 'retry-after': String(retryAfter) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="darkroom"' }),
    ...(typeof taskId === 'string' && { 'darkroom-task-id': taskId }),
    ...(typeof charged === 'string' && { 'darkroom-charged': charged }),
  }
}

export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return Response.json(errorBody(problem), {
    status: problem.status,
    headers: { ...headers, ...problemHeaders(problem) },
  })
}

/** As `refusal` of other routes. */
export function restRefusal(
  code: RequestErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return problemResponse(httpProblem(code, message), headers)
}
