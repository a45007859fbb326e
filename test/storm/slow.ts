// A slow line in front of an upstream: what goes through takes its time on the way there and on the way back, so that a
// process may die before, while and after the upstream works and charges.
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { listen } from '../providers/upstreams/listen.ts'
import type { Chance } from './chance.ts'

const MOST_MS = { there: 100, back: 500 }

export async function startSlowLine(
  to: string,
  chance: Chance,
): Promise<{ url: string; close(): Promise<void> }> {
  const { origin, pathname } = new URL(to)
  const server = createServer((incoming, reply) => {
    void buffer(incoming).then(
      async (body) => {
        await pause(chance.between(0, MOST_MS.there))
        const { method, headers, url } = incoming
        const onward = ask(`${origin}${url}`, { method, headers }, (answer) => {
          void pause(chance.between(0, MOST_MS.back)).then(() => pass(answer, reply))
        })
        onward.on('error', () => reply.destroy()).end(body)
      },
      () => undefined,
    )
  })

  /** Links in an answer lead through the line as well; what is streamed has none, and goes on piece by piece. */
  async function pass(answer: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { statusCode = 502, headers } = answer
    if (!headers['content-type']?.includes('json')) {
      reply.writeHead(statusCode, headers)
      answer.pipe(reply)
      return
    }
    const text = (await buffer(answer)).toString().replaceAll(origin, own)
    const { 'content-length': _, 'transfer-encoding': __, ...others } = headers
    reply.writeHead(statusCode, { ...others, 'content-length': Buffer.byteLength(text) }).end(text)
  }

  server.on('connection', (socket) => socket.on('error', () => undefined))
  const own = await listen(server)
  return {
    url: own + pathname,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
