// Subscriptions over WebSockets, with graphql-transport-ws:
// github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
import type { Endpoint, Result } from './endpoint.ts'
import { connectionLost } from './errors.ts'
import { createQueue } from './queue.ts'
import { openSocket, type Socket, type WebSocketClass, type WebSocketLike } from './socket.ts'
import type { Transport } from './subscription.ts'

/** The server's limit per socket. */
const MAX_OPERATIONS = 50

/** Subscriptions share a socket, which closes after the last one. */
export function createWebSocketTransport(
  endpoint: Endpoint,
  WebSocketImpl: WebSocketClass,
  silenceMs: number,
): Transport {
  const sockets = new Set<Socket>()
  return async function* subscribe(operation, { signal, onOpen }) {
    const headers = await endpoint.headers()
    const queue = createQueue<Result>()
    const abort = () => queue.end(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    const stop = roomySocket(headers).start(operation, { onOpen, onResult: queue.push, onEnd: queue.end })
    try {
      yield* queue.items()
    } finally {
      signal.removeEventListener('abort', abort)
      stop()
    }
  }

  function roomySocket(headers: Record<string, string>): Socket {
    const known = [...sockets].find((one) => one.operationCount() < MAX_OPERATIONS)
    if (known) return known
    const url = new URL(endpoint.url)
    url.protocol = url.protocol.replace('http', 'ws')
    const onEnd = () => sockets.delete(opened)
    const opened = openSocket(connect(url), { params: headers, silenceMs, onEnd })
    sockets.add(opened)
    return opened
  }

  function connect(url: URL): WebSocketLike {
    try {
      return new WebSocketImpl(url, 'graphql-transport-ws')
    } catch (error) {
      throw connectionLost('This runtime refuses to open a WebSocket.', error)
    }
  }
}
