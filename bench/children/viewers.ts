// Many viewers in one process, over sockets of their own. To cost little, they only count and time the events.
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { clock, serve } from '../child.ts'
import { percentile } from '../measure.ts'
import { createFrameReader, frameOf } from '../viewers/frames.ts'
import { createEventCounter } from '../viewers/sse.ts'

export type ViewerTransport = 'WebSocket' | 'SSE'

export interface Audience {
  /** Of the server, with http. */
  url: string
  transport: ViewerTransport
  count: number
  /** The nth viewer has the nth document; the last one is for all others. */
  documents: readonly string[]
  variables?: Record<string, unknown>
}

export interface Arrivals {
  /** From the event to a viewer, in milliseconds. */
  p50: number
  p99: number
  /** Time of the last event at the last viewer. */
  lastAt: number
}

/** The form of an id of graphql-ws. Every socket has one operation. */
const OPERATION = '3f1f9d0a-5b1c-4c8e-9a51-0c0de0f0b0d1'
/** Acknowledgements and pings of the protocol are shorter, events are longer. */
const MIN_EVENT_BYTES = 120
/** The backlog of new connections is limited. */
const BATCH = 100
const TIMEOUT_MS = 300_000

/** Every read of every socket uses it. */
const buffer = Buffer.alloc(256 * 1024)
/** `performance.now` is cheaper than the clock of all processes. A pause between the two calls makes a difference too small. */
const clockOffset = Math.max(...Array.from({ length: 20 }, () => clock() - performance.now()))
const sockets: Socket[] = []
/** Events of each viewer since `expect`. */
let counts = new Uint32Array()
let arrivals = new Float64Array()
let expected = 0
let missing = 0
let surplus = 0
let lastAt = 0
let latest = ''
let whenComplete = Promise.withResolvers<void>()

const verbs = {
  /** Opens the viewers. Resolves when each has sent its subscription, which the server may still be starting. */
  async open({ url, transport, count, documents, variables = {} }: Audience): Promise<void> {
    counts = new Uint32Array(count)
    const { hostname, port } = new URL(url)
    for (let from = 0; from < count; from += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - from) }, async (_, i) => {
        const payload = { query: documents[Math.min(from + i, documents.length - 1)], variables }
        const join = transport === 'WebSocket' ? joinWebSocket : joinSse
        sockets.push(await join({ host: hostname, port: Number(port) }, JSON.stringify(payload), from + i))
      })
      await Promise.all(batch)
    }
  },

  /** Whether each viewer has received an event. */
  haveAll: () => counts.every((count) => count > 0),

  /** Resolves when no event has arrived for `ms`. */
  async quiet(ms: number): Promise<void> {
    while (performance.now() + clockOffset - lastAt < ms) await pause(ms / 4)
  },

  /** Forgets earlier events and waits for `events` at each viewer. */
  expect(events: number): void {
    counts.fill(0)
    expected = events
    arrivals = new Float64Array(counts.length * events)
    missing = arrivals.length
    surplus = 0
    whenComplete = Promise.withResolvers()
  },

  /** Resolves when all expected events have arrived. Takes the times at which they were sent. */
  async arrived(): Promise<void> {
    if (missing === 0) return
    const timeout = setTimeout(
      () => whenComplete.reject(new Error(`${missing} of ${arrivals.length} events did not arrive.`)),
      TIMEOUT_MS,
    )
    await whenComplete.promise.finally(() => clearTimeout(timeout))
  },

  /** The delays of the expected events, from the times at which they were sent. */
  take(sent: readonly number[]): Arrivals {
    if (surplus > 0) throw new Error(`${surplus} events arrived twice.`)
    if (sent.length !== expected) throw new Error(`${sent.length} of ${expected} events were sent.`)
    const delays = arrivals.map((at, i) => at - (sent[i % expected] ?? Number.NaN))
    return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), lastAt }
  },

  /** No viewer reads any more. */
  stall(): void {
    for (const socket of sockets) socket.pause()
  },

  /** Number of viewers whose connection ended. */
  ended: () => sockets.filter(({ destroyed }) => destroyed).length,

  /** The latest event of the first viewer as JSON, over WebSocket. */
  latest: () => latest,
}

export type ViewerVerbs = typeof verbs

serve(verbs, async () => sockets.forEach((socket) => socket.destroy()))

function onEvent(viewer: number): void {
  lastAt = performance.now() + clockOffset
  const nth = counts[viewer]!++
  if (nth >= expected) {
    surplus++
    return
  }
  arrivals[viewer * expected + nth] = lastAt
  if (--missing === 0) whenComplete.resolve()
}

interface Place {
  host: string
  port: number
}

function joinWebSocket({ host, port }: Place, payload: string, viewer: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let isSubscribed = false
    const read = createFrameReader({
      onText(text) {
        if (isSubscribed && (text === undefined || text.length >= MIN_EVENT_BYTES)) {
          if (viewer === 0 && text) latest = text.toString()
          onEvent(viewer)
        } else if (!isSubscribed && text?.includes('connection_ack')) {
          isSubscribed = true
          const message = `{"id":"${OPERATION}","type":"subscribe","payload":${payload}}`
          socket.write(frameOf('text', Buffer.from(message)), () => resolve(socket))
        }
      },
      onPing: (ping) => socket.write(frameOf('pong', Buffer.from(ping))),
    })
    const socket = open({ host, port }, 101, reject, read)
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: ${host}:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        'sec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    )
    socket.write(frameOf('text', Buffer.from('{"type":"connection_init"}')))
  })
}

function joinSse({ host, port }: Place, payload: string, viewer: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const count = createEventCounter()
    const socket = open({ host, port }, 200, reject, (bytes) => {
      for (let events = count(bytes); events > 0; events--) onEvent(viewer)
      resolve(socket)
    })
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${host}:${port}\r\naccept: text/event-stream\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
    )
  })
}

/** Connects, checks the status of the HTTP response, and reads what follows it: the first time possibly nothing. */
function open(
  place: Place,
  status: number,
  reject: (error: Error) => void,
  read: (bytes: Buffer) => void,
): Socket {
  let head: string | undefined = ''
  const onread = {
    buffer,
    callback(length: number): boolean {
      let bytes = buffer.subarray(0, length)
      if (head !== undefined) {
        const known = head.length
        head += bytes.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) return true
        if (!head.startsWith(`HTTP/1.1 ${status} `)) {
          reject(new Error(head))
          return false
        }
        head = undefined
        bytes = bytes.subarray(end + 4 - known)
      }
      read(bytes)
      return true
    },
  }
  return connect({ ...place, noDelay: true, onread }).on('error', reject)
}
