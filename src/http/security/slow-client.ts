import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'

/** How long a client may take in nothing of what it is sent; a phone comes out of most tunnels sooner. */
export const STUCK_MS = 24_000

/**
 * Lets go of clients that take in nothing of what they are sent for `ms`: an event stream or a download whose reader
 * stands still holds a piece of it in memory, and a place. Who reads slowly, and who waits for an answer or for events,
 * is none of them.
 */
export function letGoOfStuck(server: Server, ms: number, clock: Clock): void {
  server.on('connection', (socket: Socket) => {
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    void watch(socket, ms, clock, closed.signal)
  })
}

/**
 * A socket's own timeout knows whether bytes are being taken in, but not whether there are any to take; and it is
 * switched off for whatever is streamed. So it is on only while bytes wait. It runs out at the second time, because the
 * first only notes how many they are: a quarter of `ms` until it is on, and twice three eighths, make one.
 */
async function watch(socket: Socket, ms: number, clock: Clock, closed: AbortSignal): Promise<void> {
  const timeoutMs = Math.round((ms * 3) / 8)
  while (!closed.aborted) {
    await clock.sleep(ms / 4, closed)
    const isOn = socket.timeout === timeoutMs
    const waits = socket.writableLength > 0
    if (waits !== isOn) socket.setTimeout(waits ? timeoutMs : 0)
  }
}
