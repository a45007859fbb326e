import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type {
  CallToolRequest,
  CallToolResult,
  ServerNotification,
  ServerRequest,
} from '@modelcontextprotocol/sdk/types.js'
import type { Scope } from '../../domain.ts'
import { badInput, GatewayError } from '../../errors.ts'
import { scopeProblem } from '../../schema/scopes.ts'
import { toToolError } from './tool-error.ts'
import type { McpContext, ToolCall } from './tool.ts'
import { findTool, TOOLS } from './tools.ts'

export interface CallEnvironment extends Pick<ToolCall, 'dataUrls' | 'release'> {
  context: McpContext
}

type Extra = Pick<RequestHandlerExtra<ServerRequest, ServerNotification>, 'signal' | 'sendNotification'>

/** Never rejects: the model reads refusals. */
export async function runTool(
  { name, arguments: given = {}, _meta }: CallToolRequest['params'],
  extra: Extra,
  environment: CallEnvironment,
): Promise<CallToolResult> {
  const { context } = environment
  return whileKeyIsValid(context, extra.signal, async (signal) => {
    const tool = findTool(name)
    if (!tool) {
      const names = TOOLS.map((one) => one.name).join(', ')
      throw badInput('name', `There is no tool ${JSON.stringify(name.slice(0, 60))}. The tools are ${names}.`)
    }
    await countAndCheck(context, tool.name, tool.scope)
    return tool.call(given, { ...environment, signal, notify: notifierOf(_meta?.progressToken, extra) })
  }).finally(environment.release)
}

/** The signal aborts when the client disconnects or its key is revoked. Never rejects. */
export async function whileKeyIsValid(
  { caller, keyring, log }: McpContext,
  disconnected: AbortSignal,
  work: (signal: AbortSignal) => Promise<CallToolResult>,
): Promise<CallToolResult> {
  const revoked = new AbortController()
  const stopWatching = keyring.watch(caller, () =>
    revoked.abort(new GatewayError('UNAUTHENTICATED', 'The API key is no longer valid.')),
  )
  try {
    return await work(AbortSignal.any([disconnected, revoked.signal]))
  } catch (error) {
    // Nothing receives this result.
    if (disconnected.aborted) return { content: [] }
    return toToolError(error, log)
  } finally {
    stopWatching()
  }
}

/** As for an operation of GraphQL. Throws RATE_LIMITED and FORBIDDEN. */
export async function countAndCheck(
  { engine, caller }: Pick<McpContext, 'engine' | 'caller'>,
  name: string,
  scope: Scope,
): Promise<void> {
  await engine.countRequest(caller)
  if (!caller.scopes.has(scope)) throw new GatewayError('FORBIDDEN', scopeProblem(name, scope, caller.scopes))
}

function notifierOf(
  progressToken: string | number | undefined,
  { sendNotification }: Pick<Extra, 'sendNotification'>,
): ToolCall['notify'] {
  if (progressToken === undefined) return undefined
  return (progress, message) =>
    sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress, total: 1, message },
      // The client has disconnected.
    }).catch(() => {})
}
