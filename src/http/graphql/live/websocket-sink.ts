import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { drained, isFull, type Sink } from './sink.ts'

const TEXT = { binary: false }

/** `connection`: the socket below the WebSocket. */
export function createWebSocketSink(socket: WebSocket, connection: Socket, id: string): Sink {
  return {
    write(frames) {
      const messages = frames.messages(id)
      // One system call for all.
      if (messages.length > 1) connection.cork()
      for (const message of messages) socket.send(message, TEXT)
      if (messages.length > 1) connection.uncork()
    },
    isFull: () => isFull(connection),
    drained: (signal) => drained(connection, signal),
  }
}
