import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import type { Clock } from '../../clock.ts'

export interface BridgeTarget {
  url: string
  key: string | null
}

export interface FailedRequest {
  problem: string
  /** The same request may succeed later. */
  isTemporary: boolean
  /** Nothing listens at the address. */
  isRefused: boolean
  wasReached: boolean
}

interface SendOptions {
  target: BridgeTarget
  /** Undefined before `initialize`. */
  protocolVersion: string | undefined
  signal: AbortSignal
  clock: Clock
  onNotification: (message: JSONRPCMessage) => void
}

/** Over its own connection, until its reply, its failure or an abort. */
export async function sendRequest(
  request: JSONRPCRequest,
  { target, protocolVersion, signal, clock, onNotification }: SendOptions,
): Promise<{ reply: JSONRPCMessage } | FailedRequest> {
  const { promise, resolve } = Promise.withResolvers<{ reply: JSONRPCMessage } | FailedRequest>()
  const over = new AbortController()
  let wasReached = false
  const fail = (error: unknown) => resolve({ ...toFailure(error), wasReached })
  const watchedFetch = async (url: string | URL, init?: RequestInit) => {
    const response = await fetch(url, init)
    wasReached = response.ok
    return onEnd(response, async () => {
      // The transport may still read the last message.
      await clock.sleep(READ_MS, over.signal)
      fail(new Error('the connection ended without a reply'))
    })
  }
  const transport = new StreamableHTTPClientTransport(endpointOf(target.url), {
    requestInit: { headers: target.key === null ? {} : { authorization: `Bearer ${target.key}` } },
    // The whole request is made again.
    reconnectionOptions: { ...NO_DELAYS, maxRetries: 0 },
    fetch: watchedFetch,
  })
  if (protocolVersion !== undefined) transport.setProtocolVersion(protocolVersion)
  const onmessage = (message: JSONRPCMessage) => {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) resolve({ reply: message })
    else onNotification(message)
  }
  Object.assign(transport, { onmessage, onerror: fail })
  const abort = () => fail(new Error('aborted'))
  signal.addEventListener('abort', abort)
  try {
    await transport.start()
    // Its errors also arrive at onerror.
    transport.send(request).catch(fail)
    return await promise
  } finally {
    over.abort()
    signal.removeEventListener('abort', abort)
    // Closing it ends what still waits, with an error.
    Object.assign(transport, { onerror: () => {} })
    await transport.close()
  }
}

const READ_MS = 1_000
const NO_DELAYS = { initialReconnectionDelay: 0, maxReconnectionDelay: 0, reconnectionDelayGrowFactor: 1 }

/** `url` as given to users: without /mcp, or with it. */
function endpointOf(url: string): URL {
  return new URL(`${url.replace(/\/+$/, '').replace(/\/mcp$/, '')}/mcp`)
}

function onEnd(response: Response, run: () => Promise<void>): Response {
  if (!response.body) return response
  const { status, statusText, headers } = response
  const body = response.body.pipeThrough(new TransformStream({ flush: () => void run() }))
  return new Response(body, { status, statusText, headers })
}

function toFailure(error: unknown): Omit<FailedRequest, 'wasReached'> {
  const status = error instanceof StreamableHTTPError ? error.code : undefined
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return {
    problem: problemIn(error, cause),
    isTemporary: status === undefined || status >= 500 || status === 408 || status === 429,
    isRefused: code === 'ECONNREFUSED',
  }
}

const REFUSAL = z.object({ error: z.object({ message: z.string() }) })

/** The transport's own words precede the body of a refusal. */
function problemIn(error: unknown, cause: unknown): string {
  const { message } =
    cause instanceof Error ? cause : error instanceof Error ? error : { message: String(error) }
  const body = message.slice(Math.max(0, message.indexOf('{')))
  try {
    return REFUSAL.parse(JSON.parse(body)).error.message
  } catch {
    return message
  }
}
