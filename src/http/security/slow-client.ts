import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'

/** A mobile client usually recovers from a loss of signal sooner. */
export const DEFAULT_SLOW_CLIENT_TIMEOUT_MS = 24_000

/**
 * Closes connections that read no pending bytes for `timeoutMs`: each holds memory and a slot. Clients that read slowly, or
 * that wait for a response or for events, stay connected.
 */
export function closeSlowClients(server: Server, timeoutMs: number, clock: Clock): void {
  server.on('connection', (socket: Socket) => {
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    void monitor(socket, timeoutMs, clock, closed.signal)
  })
}

/**
 * A socket's own timeout detects that no bytes are read, but not whether any are pending, and Node turns it off for streamed
 * responses. So it is on only while bytes are pending. It fires at its second expiry, because the first one only records
 * their number: at most `timeoutMs / 4` until it is on, then twice `timeoutMs * 3 / 8`.
 */
async function monitor(socket: Socket, timeoutMs: number, clock: Clock, closed: AbortSignal): Promise<void> {
  const socketTimeoutMs = Math.round((timeoutMs * 3) / 8)
  while (!closed.aborted) {
    await clock.sleep(timeoutMs / 4, closed)
    const isOn = socket.timeout === socketTimeoutMs
    const isPending = socket.writableLength > 0
    if (isPending !== isOn) socket.setTimeout(isPending ? socketTimeoutMs : 0)
  }
}
