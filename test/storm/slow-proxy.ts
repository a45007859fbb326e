// A proxy that delays requests and responses, so that a process may die before, while and after the upstream charges.
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { listen } from '../providers/upstreams/listen.ts'
import type { Random } from '../support/random.ts'

const MAX_MS = { request: 100, response: 500 }

export async function startSlowProxy(
  to: string,
  random: Random,
): Promise<{ url: string; close(): Promise<void> }> {
  const { origin, pathname } = new URL(to)
  const server = createServer((incoming, response) => {
    void buffer(incoming).then(
      async (body) => {
        await pause(random.between(0, MAX_MS.request))
        const { method, headers, url } = incoming
        const onward = send(`${origin}${url}`, { method, headers }, (reply) => {
          void pause(random.between(0, MAX_MS.response)).then(() => forward(reply, response))
        })
        onward.on('error', () => response.destroy()).end(body)
      },
      () => undefined,
    )
  })

  /** Points links in JSON at the proxy. Streams have none, and are passed on in pieces. */
  async function forward(reply: IncomingMessage, response: ServerResponse): Promise<void> {
    const { statusCode = 502, headers } = reply
    if (!headers['content-type']?.includes('json')) {
      response.writeHead(statusCode, headers)
      reply.pipe(response)
      return
    }
    const text = (await buffer(reply)).toString().replaceAll(origin, own)
    const { 'content-length': _, 'transfer-encoding': __, ...others } = headers
    response.writeHead(statusCode, { ...others, 'content-length': Buffer.byteLength(text) }).end(text)
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
