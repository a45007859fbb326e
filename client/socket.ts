// One WebSocket and its operations. The client of graphql-ws is not used: its retries, timers and iterators
// would have to be replaced, and without a dependency a page can import this module as it is.
import type { Result } from './endpoint.ts'
import { connectionLost, createError, errorOf, type ResponseError } from './errors.ts'
import type { Subscription } from './subscription.ts'

/** The part that is used, of browsers, Node 22 and the package ws. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export type WebSocketClass = new (url: string | URL, protocol: string) => WebSocketLike

export interface OperationSink {
  onOpen(): void
  onResult(result: Result): void
  /** Without an error: complete. */
  onEnd(error?: unknown): void
}

export interface Socket {
  /** Returns a function that stops it. */
  start(operation: Subscription, sink: OperationSink): () => void
  operationCount(): number
}

/** For the acknowledgement; then the other transport is tried. */
const OPEN_TIMEOUT_MS = 5_000
/** Close code: the key is not, or no longer, valid. */
const FORBIDDEN = 4403

interface Message {
  type?: string
  id?: string
  payload?: unknown
}

export function openSocket(
  socket: WebSocketLike,
  options: { params: object; silenceMs: number; onEnd: () => void },
): Socket {
  const { params, silenceMs, onEnd } = options
  const operations = new Map<string, OperationSink & { operation: Subscription }>()
  let lastId = 0
  let isAcknowledged = false
  let isEnded = false
  const openTimeoutMs = Math.min(OPEN_TIMEOUT_MS, silenceMs)
  let timer = setTimeout(() => end(connectionLost('The WebSocket did not open.')), openTimeoutMs)

  const send = (message: object) => socket.send(JSON.stringify(message))

  function end(error?: unknown): void {
    if (isEnded) return
    isEnded = true
    clearTimeout(timer)
    onEnd()
    // The closing handshake may never finish.
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.onerror = () => {}
    socket.close()
    for (const sink of operations.values()) sink.onEnd(error)
    operations.clear()
  }

  /** Browsers hide the server's pings, so the client sends its own after silence. */
  function listen(): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      send({ type: 'ping' })
      timer = setTimeout(() => end(connectionLost('The WebSocket is silent.')), silenceMs / 2)
    }, silenceMs / 2)
  }

  function subscribe(id: string): void {
    const known = operations.get(id)
    if (!known) return
    send({ id, type: 'subscribe', payload: known.operation })
    known.onOpen()
  }

  function complete(id: string, error?: unknown): void {
    operations.get(id)?.onEnd(error)
    operations.delete(id)
    if (operations.size === 0) end()
  }

  function receive({ type, id = '', payload }: Message): void {
    if (type === 'connection_ack') {
      isAcknowledged = true
      for (const known of operations.keys()) subscribe(known)
    } else if (type === 'next') operations.get(id)?.onResult(payload as Result)
    else if (type === 'error') complete(id, errorOf(payload as ResponseError[]))
    else if (type === 'complete') complete(id)
    else if (type === 'ping') send({ type: 'pong' })
    else if (type !== 'pong') end(connectionLost('The WebSocket speaks another protocol.'))
  }

  socket.onopen = () => send({ type: 'connection_init', payload: params })
  socket.onmessage = ({ data }: { data: unknown }) => {
    listen()
    receive(parseMessage(data))
  }
  socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
    end(
      code === FORBIDDEN
        ? createError('UNAUTHENTICATED', reason || 'The API key is not valid.')
        : connectionLost(`The WebSocket was closed with ${code}.`),
    )
  socket.onerror = () => end(connectionLost('The WebSocket failed.'))

  return {
    start(operation, sink) {
      const id = String(++lastId)
      operations.set(id, { ...sink, operation })
      if (isAcknowledged) subscribe(id)
      return () => {
        if (!operations.delete(id)) return
        if (operations.size === 0) end()
        else if (isAcknowledged) send({ id, type: 'complete' })
      }
    },
    operationCount: () => operations.size,
  }
}

function parseMessage(data: unknown): Message {
  const message: unknown = typeof data === 'string' ? safeParse(data) : undefined
  return typeof message === 'object' && message !== null ? message : {}
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
