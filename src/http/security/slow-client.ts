import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'

export const DEFAULT_SLOW_CLIENT_TIMEOUT_MS = 24_000

/**
 * Closes connections that read no pending bytes for `timeoutMs`. Slow and waiting clients stay connected. One timer is for
 * all connections.
 */
export function closeSlowClients(server: Server, timeoutMs: number, clock: Clock): void {
  const sockets = new Set<Socket>()
  const closed = new AbortController()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.once('listening', () => void monitor(sockets, timeoutMs, clock, closed.signal))
  server.once('close', () => closed.abort())
}

/**
 * A socket's timeout ignores pending bytes, and Node turns it off for streams; here it is on while bytes are
 * pending. The first expiry only records their number, the second fires: 1/4 + 2 * 3/8 of `timeoutMs`.
 */
async function monitor(
  sockets: ReadonlySet<Socket>,
  timeoutMs: number,
  clock: Clock,
  closed: AbortSignal,
): Promise<void> {
  const socketTimeoutMs = Math.round((timeoutMs * 3) / 8)
  while (!closed.aborted) {
    await clock.sleep(timeoutMs / 4, closed)
    for (const socket of sockets) {
      const isOn = socket.timeout === socketTimeoutMs
      const isPending = socket.writableLength > 0
      if (isPending !== isOn) socket.setTimeout(isPending ? socketTimeoutMs : 0)
    }
  }
}
