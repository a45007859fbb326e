// Random WebSocket messages: valid ones, corrupted ones, and other frames.
import { once } from 'node:events'
import type { GraphQLSchema } from 'graphql'
import { WebSocket } from 'ws'
import type { Random } from '../support/random.ts'
import { randomOperation } from './documents.ts'
import { randomJson, randomText, corrupt } from './values.ts'

/** The messages of one socket. */
export interface Exchange {
  sent: string[]
  received: string[]
  /** The close code of the server; null when the client closed the socket. */
  closed: number | null
}

/** Opens a socket, sends up to twenty messages, and closes it. */
export async function exchange(
  random: Random,
  schema: GraphQLSchema,
  { url, key }: { url: string; key: string },
): Promise<Exchange> {
  const exchanged: Exchange = { sent: [], received: [], closed: null }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  socket.on('message', (data: Buffer) => exchanged.received.push(data.toString()))
  socket.on('error', () => {})
  socket.on('close', (code) => (exchanged.closed = code))
  await once(socket, 'open')
  const payload = random.next() < 0.9 ? { authorization: `Bearer ${key}` } : undefined
  if (random.next() < 0.95) send(JSON.stringify({ type: 'connection_init', payload }))
  // The server closes a socket that subscribes before the acknowledgement.
  if (random.next() < 0.9) await Promise.race([once(socket, 'message'), once(socket, 'close')])
  for (
    let left = Math.ceil(random.between(0, 20));
    left > 0 && socket.readyState === WebSocket.OPEN;
    left--
  ) {
    send(randomMessage(random, schema))
    if (random.next() < 0.1) socket.ping()
    if (random.next() < 0.3) await new Promise((resolve) => setImmediate(resolve))
  }
  // A subscription need not end, so a short silence must be enough.
  const silence = new Promise((resolve) => setTimeout(resolve, 50))
  if (socket.readyState === WebSocket.OPEN) await silence
  const closedByServer = exchanged.closed
  socket.terminate()
  exchanged.closed = closedByServer
  return exchanged

  function send(message: string | Buffer): void {
    exchanged.sent.push(String(message))
    if (socket.readyState === WebSocket.OPEN) socket.send(message)
  }
}

function randomMessage(random: Random, schema: GraphQLSchema): string | Buffer {
  const kind = random.next()
  const id = random.pick(['1', '2', '3', ''])
  if (kind < 0.65) {
    const payload = randomOperation(
      random,
      schema,
      random.pick(['query', 'mutation', 'subscription', 'subscription']),
    )
    const message = JSON.stringify({ id: freshId(random), type: 'subscribe', payload })
    return kind < 0.55 ? message : corrupt(random, message)
  }
  if (kind < 0.8) return JSON.stringify({ id, type: 'complete' })
  if (kind < 0.9)
    return JSON.stringify({ type: random.pick(['ping', 'pong', 'connection_init', 'next']), payload: {} })
  if (kind < 0.95) return JSON.stringify(randomJson(random))
  return Buffer.from(randomText(random))
}

/** An id that is unlikely to be in use. */
function freshId(random: Random): string {
  return String(Math.floor(random.between(1, 1e9)))
}
