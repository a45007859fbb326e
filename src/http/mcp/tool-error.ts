import { randomUUID } from 'node:crypto'
import { ErrorCode, McpError, type CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { gatewayErrorOf, type GatewayErrorCode } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { retryAfterOf } from '../refusal.ts'

const REPEAT = 'Make the same call again; it is not charged twice.'

const REMEDIES: Partial<Record<GatewayErrorCode, string>> = {
  BUDGET_EXCEEDED:
    'Nothing was charged. The same call fails until then: tell the user. get_usage shows all budgets.',
  FORBIDDEN: 'Tell the user: only an operator can change this.',
  MODEL_UNKNOWN: 'list_models shows the models.',
  PROVIDER_UNKNOWN: 'list_models shows the providers.',
  CAPABILITY_MISSING: 'list_models shows what each model supports.',
  SERVICE_UNAVAILABLE: REPEAT,
  SHUTTING_DOWN: REPEAT,
}

/** The engine's messages have the names of GraphQL. */
const NAMES: readonly (readonly [graphql: string, argument: string])[] = [
  ['idempotencyKey', 'idempotency_key'],
  ['outputFormat', 'output_format'],
  ['imageCount', 'image_count'],
  ['frameDurationMs', 'frame_duration_ms'],
  ['groupBy', 'group_by'],
  ['timeZone', 'time_zone'],
  ['filter.search', 'search'],
]

interface Details {
  code: string
  field?: string
  /** In seconds. */
  retryAfter?: number
}

/** Never an error of the protocol: the model reads it. */
export function toToolError(error: unknown, log: Logger): CallToolResult {
  const { message, ...details } = explain(error, log)
  const text = `${details.code}: ${message}`
  return { content: [{ type: 'text', text }], isError: true, _meta: { 'darkroom/error': details } }
}

/** Resources have no results with errors. */
export function toMcpError(error: unknown, log: Logger): McpError {
  if (error instanceof McpError) return error
  const { message, ...details } = explain(error, log)
  const isBug = details.code === 'INTERNAL_SERVER_ERROR'
  return new McpError(isBug ? ErrorCode.InternalError : ErrorCode.InvalidParams, message, details)
}

/** Shows GatewayErrors. Logs any other error and shows only its id. */
function explain(error: unknown, log: Logger): Details & { message: string } {
  const known = gatewayErrorOf(error)
  if (!known) {
    const id = randomUUID()
    log.error({ id, err: error }, 'tool call failed unexpectedly')
    return { code: 'INTERNAL_SERVER_ERROR', message: `Unexpected error (id ${id}).` }
  }
  const { code, field } = known
  const retryAfter = retryAfterOf(known)
  const remedy = REMEDIES[code]
  return {
    code,
    ...(field !== undefined && { field: withArgumentNames(field) }),
    ...(retryAfter !== undefined && { retryAfter }),
    message: withArgumentNames(known.message) + (remedy === undefined ? '' : ` ${remedy}`),
  }
}

function withArgumentNames(text: string): string {
  return NAMES.reduce((changed, [graphql, argument]) => changed.replaceAll(graphql, argument), text)
}
