// Passes messages between an agent host on stdin and stdout and the MCP endpoint of a server.
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import {
  InitializeResultSchema,
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { sendRequest, type FailedRequest, type BridgeTarget } from './send-request.ts'

interface BridgeOptions {
  stdin: Readable
  stdout: Writable
  /** Called for the first message, and again after a server refused the connection. */
  connect: () => Promise<BridgeTarget>
  clock: Clock
}

/** The largest image is a data URL of 27 MB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** How long a server may be away. */
const RETRY_MS = 60_000
const MIN_DELAY_MS = 250
const MAX_DELAY_MS = 4_000

export interface Bridge {
  /** Resolves when the host closes stdin. */
  ended: Promise<void>
  close(): Promise<void>
}

/**
 * Each request is a connection of its own, because the server is stateless. A lost one is made again: tools
 * attach a repeated call to the first one's task.
 */
export async function openBridge({ stdin, stdout, connect, clock }: BridgeOptions): Promise<Bridge> {
  const stdio = new StdioServerTransport(stdin, stdout, { maxBufferSize: MAX_MESSAGE_BYTES })
  const running = new Map<RequestId, AbortController>()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let target = await connect()
  let protocolVersion: string | undefined

  async function exchange(request: JSONRPCRequest, signal: AbortSignal): Promise<JSONRPCMessage | undefined> {
    let giveUpAt = clock.monotonic() + RETRY_MS
    for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      const outcome = await sendRequest(request, {
        target,
        protocolVersion,
        signal,
        clock,
        onNotification: (message) => void stdio.send(message),
      })
      if (signal.aborted) return undefined
      const reply = 'reply' in outcome ? outcome.reply : failureReply(request, outcome, target)
      const isFinal = 'reply' in outcome ? !isUnavailable(reply) : !outcome.isTemporary
      if ('wasReached' in outcome && outcome.wasReached) giveUpAt = clock.monotonic() + RETRY_MS
      if (isFinal || clock.monotonic() > giveUpAt) return reply
      await clock.sleep(delayMs, signal)
      if ('isRefused' in outcome && outcome.isRefused) target = await connect()
    }
  }

  async function answer(request: JSONRPCRequest): Promise<void> {
    const abort = new AbortController()
    running.set(request.id, abort)
    try {
      const reply = await exchange(request, abort.signal)
      if (request.method === 'initialize') protocolVersion = versionIn(reply) ?? protocolVersion
      if (reply && !abort.signal.aborted) await stdio.send(reply)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      await stdio.send(errorReply(request.id, message))
    } finally {
      running.delete(request.id)
    }
  }

  const onmessage = (message: JSONRPCMessage) => {
    if (isJSONRPCRequest(message)) void answer(message)
    // Without a session, only this notification has an effect.
    else if (isJSONRPCNotification(message)) running.get(canceledId(message) ?? '')?.abort()
  }
  // A text that is not JSON-RPC has no id to answer.
  Object.assign(stdio, { onmessage, onclose: end, onerror: () => {} })
  for (const event of ['end', 'close']) stdin.once(event, end)
  await stdio.start()
  return {
    ended,
    async close() {
      for (const abort of running.values()) abort.abort()
      await stdio.close()
    },
  }
}

/** A server restarts, or its database is away. */
function isUnavailable(reply: JSONRPCMessage): boolean {
  const { _meta: meta } = REFUSED_TOOL.safeParse(reply).data?.result ?? {}
  const code = meta?.['darkroom/error'].code
  return code === 'SHUTTING_DOWN' || code === 'SERVICE_UNAVAILABLE'
}

const REFUSED_TOOL = z.object({
  result: z.object({ _meta: z.object({ 'darkroom/error': z.object({ code: z.string() }) }) }),
})

function canceledId(message: JSONRPCMessage): RequestId | undefined {
  return CANCELED.safeParse(message).data?.params.requestId
}

const CANCELED = z.object({
  method: z.literal('notifications/cancelled'),
  params: z.object({ requestId: z.union([z.string(), z.number()]) }),
})

function versionIn(reply: JSONRPCMessage | undefined): string | undefined {
  return reply && 'result' in reply
    ? InitializeResultSchema.safeParse(reply.result).data?.protocolVersion
    : undefined
}

function failureReply(
  { id, method }: JSONRPCRequest,
  { problem, isTemporary }: FailedRequest,
  { url }: BridgeTarget,
): JSONRPCMessage {
  const text = isTemporary
    ? `The Darkroom server at ${url} does not answer (${problem}). Make the same call again later: it is not charged twice.`
    : problem
  if (method !== 'tools/call') return errorReply(id, text)
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], isError: true } }
}

/** JSON-RPC 2.0: an implementation's own errors. */
function errorReply(id: RequestId, message: string): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: { code: -32000, message } }
}
