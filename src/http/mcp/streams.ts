// One SDK server per HTTP request: without sessions, any process can serve it.
import {
  WebStandardStreamableHTTPServerTransport as Transport,
  type EventStore,
} from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { TaskRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import { DEFAULT_WAIT_SECONDS } from './arguments.ts'
import { findTaskOfCall, type CallIdentity } from './call-key.ts'
import { setAside } from './data-urls.ts'
import { getTaskTool } from './get-task.ts'
import { countAndCheck, whileKeyIsValid } from './run-tool.ts'
import { createMcpServer } from './server.ts'
import { taskAnswer } from './task-result.ts'
import { encodeTicket, ticketOf, type Ticket } from './ticket.ts'
import { toResult, type McpContext, type ToolCall } from './tool.ts'
import { waitForTask } from './wait.ts'

type Send = Parameters<EventStore['replayEventsAfter']>[1]['send']

/** A call that waits streams progress; everything else is plain JSON. */
export async function serveMessage(
  request: Request,
  message: unknown,
  context: McpContext,
  release: () => void,
): Promise<Response> {
  const dataUrls = setAside(message)
  const ticket = ticketOf(message, context)
  const transport = new Transport(ticket ? { eventStore: eventIds(ticket) } : { enableJsonResponse: true })
  const server = createMcpServer({ context, dataUrls, release })
  const onerror = (error: Error) => context.log.debug({ err: error }, 'MCP message failed')
  Object.assign(server, { onerror })
  await server.connect(transport)
  if (ticket) onDisconnect(request, () => void server.close())
  const response = await transport.handleRequest(request, { parsedBody: message })
  // A waiting call releases at its end or earlier.
  if (!ticket || !response.ok) release()
  return response
}

/** For a GET with Last-Event-ID. */
export async function resumeStream(request: Request, ticket: Ticket, context: McpContext): Promise<Response> {
  const { promise: opened, resolve: open } = Promise.withResolvers<Send>()
  const transport = new Transport({
    eventStore: {
      ...eventIds(ticket),
      async replayEventsAfter(streamId, { send }) {
        open(send)
        return streamId
      },
    },
  })
  await transport.start()
  const disconnected = new AbortController()
  onDisconnect(request, () => disconnected.abort())
  const response = await transport.handleRequest(request)
  if (response.ok)
    void opened
      .then((send) => finish(send, ticket, context, disconnected.signal))
      .then(() => transport.close())
      .catch((err: unknown) => context.log.error({ err }, 'resuming an MCP stream failed'))
  return response
}

function eventIds(ticket: Ticket): EventStore {
  let number = 0
  return {
    storeEvent: async () => encodeTicket(ticket, number++),
    replayEventsAfter: () => Promise.reject(new Error('Only a GET resumes a stream.')),
  }
}

function onDisconnect({ signal }: Request, close: () => void): void {
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
}

async function finish(
  send: Send,
  ticket: Ticket,
  context: McpContext,
  disconnected: AbortSignal,
): Promise<void> {
  const { id, progressToken, call } = ticket
  let number = 0
  const nextId = () => encodeTicket(ticket, number++)
  const notify: ToolCall['notify'] =
    progressToken === undefined
      ? undefined
      : (progress, message) =>
          send(nextId(), {
            jsonrpc: '2.0',
            method: 'notifications/progress',
            params: { progressToken, progress, total: 1, message },
          })
  const result = await whileKeyIsValid(context, disconnected, (signal) => {
    const toolCall = { context, signal, notify, dataUrls: new Map(), release: () => {} }
    return 'taskId' in call ? getTaskTool.call({ task_id: call.taskId }, toolCall) : resultOf(call, toolCall)
  })
  await send(nextId(), { jsonrpc: '2.0', id, result })
}

async function resultOf(identity: CallIdentity, call: ToolCall): Promise<CallToolResult> {
  const { context } = call
  await countAndCheck(context, 'tools/call', 'GENERATE')
  const task = await whenCreated(identity, call)
  return toResult(await taskAnswer(context, await waitForTask(call, task, DEFAULT_WAIT_SECONDS * 1000)))
}

/** The process that received the call may still be storing its images. */
const CREATION_MS = 3_000
const CREATION_CHECK_MS = 250

async function whenCreated(identity: CallIdentity, { context, signal }: ToolCall): Promise<TaskRow> {
  let task: TaskRow | undefined
  for (let waitedMs = 0; waitedMs <= CREATION_MS && !signal.aborted; waitedMs += CREATION_CHECK_MS) {
    task = await findTaskOfCall(context, identity)
    if (task?.deletedAt === null) return task
    await context.clock.sleep(CREATION_CHECK_MS, signal)
  }
  if (task) throw new GatewayError('NOT_FOUND', `The task ${task.id} of this call was deleted.`)
  throw new GatewayError('NOT_FOUND', 'This call did not arrive, and nothing was charged. Make it again.')
}
