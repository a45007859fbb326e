import type { Endpoint } from './endpoint.ts'
import { createEventStreamTransport } from './event-stream.ts'
import type { WebSocketClass } from './socket.ts'
import type { Transport } from './subscription.ts'
import { createWebSocketTransport } from './websocket.ts'

export interface TransportOptions {
  /** Default: WebSocket where it opens, else server-sent events. */
  transport?: 'auto' | 'websocket' | 'sse' | undefined
  /** For a runtime without one. */
  webSocket?: WebSocketClass | undefined
  /**
   * Replaces a connection without a sign of life for so long. Default 30 seconds: event streams are silent
   * for at most 12.
   */
  silenceMs?: number | undefined
}

const SILENCE_MS = 30_000

/** Changes to the other transport when a connection does not open, and stays with one that does. */
export function createTransport(endpoint: Endpoint, options: TransportOptions): Transport {
  const { transport = 'auto', silenceMs = SILENCE_MS } = options
  const WebSocketImpl = options.webSocket ?? globalThis.WebSocket
  const order: Transport[] = []
  if (transport !== 'sse' && (WebSocketImpl as unknown) !== undefined)
    order.push(createWebSocketTransport(endpoint, WebSocketImpl, silenceMs))
  if (transport !== 'websocket' || order.length === 0)
    order.push(createEventStreamTransport(endpoint, silenceMs))
  let preferred = 0
  return async function* subscribe(operation, { signal, onOpen }) {
    const used = preferred
    let isOpen = false
    try {
      yield* order[used % order.length]!(operation, {
        signal,
        onOpen: () => {
          isOpen = true
          onOpen()
        },
      })
    } catch (error) {
      // Other subscriptions may have changed it already.
      if (!isOpen && preferred === used) preferred++
      throw error
    }
  }
}
