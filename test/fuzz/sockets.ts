// What can be thrown at a WebSocket: messages of the protocol, spoilt ones, and frames that are none.
import { once } from 'node:events'
import type { GraphQLSchema } from 'graphql'
import { WebSocket } from 'ws'
import type { Random } from '../support/random.ts'
import { anyOperation } from './documents.ts'
import { anyJson, anyText, spoil } from './values.ts'

/** What one socket was sent, and what came back. */
export interface Talk {
  sent: string[]
  heard: string[]
  /** The code that the server closed with; null when we did. */
  closed: number | null
}

/** Opens a socket, says up to twenty things, and leaves. */
export async function talk(
  random: Random,
  schema: GraphQLSchema,
  { url, key }: { url: string; key: string },
): Promise<Talk> {
  const story: Talk = { sent: [], heard: [], closed: null }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  socket.on('message', (data: Buffer) => story.heard.push(data.toString()))
  socket.on('error', () => {})
  socket.on('close', (code) => (story.closed = code))
  await once(socket, 'open')
  const payload = random.next() < 0.9 ? { authorization: `Bearer ${key}` } : undefined
  if (random.next() < 0.95) say(JSON.stringify({ type: 'connection_init', payload }))
  // Who asks before the greeting is answered is closed at once.
  if (random.next() < 0.9) await Promise.race([once(socket, 'message'), once(socket, 'close')])
  for (
    let left = Math.ceil(random.between(0, 20));
    left > 0 && socket.readyState === WebSocket.OPEN;
    left--
  ) {
    say(anyMessage(random, schema))
    if (random.next() < 0.1) socket.ping()
    if (random.next() < 0.3) await new Promise((resolve) => setImmediate(resolve))
  }
  // Until what was asked is answered, or nothing more comes: a subscription need not end.
  const silence = new Promise((resolve) => setTimeout(resolve, 50))
  if (socket.readyState === WebSocket.OPEN) await silence
  const closedByServer = story.closed
  socket.terminate()
  story.closed = closedByServer
  return story

  function say(message: string | Buffer): void {
    story.sent.push(String(message))
    if (socket.readyState === WebSocket.OPEN) socket.send(message)
  }
}

function anyMessage(random: Random, schema: GraphQLSchema): string | Buffer {
  const kind = random.next()
  const id = random.pick(['1', '2', '3', ''])
  if (kind < 0.65) {
    const payload = anyOperation(
      random,
      schema,
      random.pick(['query', 'mutation', 'subscription', 'subscription']),
    )
    const message = JSON.stringify({ id: freshId(random), type: 'subscribe', payload })
    return kind < 0.55 ? message : spoil(random, message)
  }
  if (kind < 0.8) return JSON.stringify({ id, type: 'complete' })
  if (kind < 0.9)
    return JSON.stringify({ type: random.pick(['ping', 'pong', 'connection_init', 'next']), payload: {} })
  if (kind < 0.95) return JSON.stringify(anyJson(random))
  return Buffer.from(anyText(random))
}

/** An id that is hardly ever taken. */
function freshId(random: Random): string {
  return String(Math.floor(random.between(1, 1e9)))
}
