import type { WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import { requestError } from '../refusal.ts'

/** Images are uploaded over HTTP. */
export const MAX_MESSAGE_BYTES = 262_144

const MAX_SUBSCRIPTIONS = 50

/** Starting and ending all subscriptions takes a hundred frames. */
const MAX_FRAMES_PER_SECOND = 300

const CLOSE_TIMEOUT_MS = 1_000

export function tooManySubscriptions(active: number) {
  if (active <= MAX_SUBSCRIPTIONS) return undefined
  return requestError(
    'TOO_MANY_SUBSCRIPTIONS',
    `The maximum is ${MAX_SUBSCRIPTIONS} operations per socket. Complete one, or open another socket.`,
  )
}

export function limitFrames(socket: WebSocket, clock: Clock): void {
  let windowStart = clock.now()
  let frames = 0
  const count = () => {
    if (clock.now() - windowStart >= 1_000) {
      windowStart = clock.now()
      frames = 0
    }
    if (++frames !== MAX_FRAMES_PER_SECOND + 1) return
    closeSocket(socket, clock, 1008, 'Too many frames per second')
  }
  for (const event of ['message', 'ping', 'pong']) socket.on(event, count)
}

/** Ignores further messages. The protocol limits the reason to 123 bytes. */
export function closeSocket(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  for (const event of ['message', 'ping', 'pong']) socket.removeAllListeners(event)
  socket.close(code, reason)
  void clock.sleep(CLOSE_TIMEOUT_MS).then(() => socket.terminate())
}
