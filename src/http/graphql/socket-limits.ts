// What one WebSocket may ask for. A client that keeps to them never notices; one that does not loses its socket only.
import type { WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import { requestError } from '../refusal.ts'

/** Operations and variables only: images belong into uploads over HTTP. */
export const MOST_MESSAGE_BYTES = 262_144

/** A dashboard with one for each task in sight has fewer; `taskFeed` watches all of them in one. */
const MOST_SUBSCRIPTIONS = 50

/** All subscriptions begun and ended in one second are a hundred. */
const MOST_FRAMES_A_SECOND = 300

/** How long a client that was told to leave may take to answer, in milliseconds. */
const GOODBYE_MS = 1_000

/** The refusal of one operation more than a socket may have at a time; undefined when it is none too many. */
export function tooManySubscriptions(underWay: number) {
  if (underWay <= MOST_SUBSCRIPTIONS) return undefined
  return requestError(
    'TOO_MANY_SUBSCRIPTIONS',
    `This socket has ${MOST_SUBSCRIPTIONS} operations under way; complete one, or open another socket.`,
  )
}

/** Closes a socket with 1008 that sends more frames in a second, pings included, than it can mean. */
export function limitFrames(socket: WebSocket, clock: Clock): void {
  let begun = clock.now()
  let frames = 0
  const count = () => {
    if (clock.now() - begun >= 1_000) {
      begun = clock.now()
      frames = 0
    }
    if (++frames !== MOST_FRAMES_A_SECOND + 1) return
    dismiss(socket, clock, 1008, 'Too many frames in a second')
  }
  for (const event of ['message', 'ping', 'pong']) socket.on(event, count)
}

/** Closes a socket and reads nothing more of what it sends, whether it agrees or not. The reason has up to 123 bytes. */
export function dismiss(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  for (const event of ['message', 'ping', 'pong']) socket.removeAllListeners(event)
  socket.close(code, reason)
  void clock.sleep(GOODBYE_MS).then(() => socket.terminate())
}
