// An upstream that does with each request what the test says, and keeps its own books: what it says it worked for is
// compared with what Darkroom believes. It speaks the smallest images API there is.
import { createServer, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../providers/upstreams/listen.ts'
import { paint } from '../providers/upstreams/openai-pictures.ts'

/** What to do with one request. `work` makes the image, charges for it, and answers the reply's body. */
export type Act = (reply: ServerResponse, work: () => Promise<string>) => Promise<void> | void

export interface FaultyUpstream {
  /** An entry of a configuration that leads here. */
  entry: Record<string, unknown>
  /** The reference of each order it was sent, in order. */
  calls: string[]
  /** The reference of each order it worked for. */
  charges: string[]
  /** What to do with the next requests, in order; `well` when the list has run out. */
  script(...acts: Act[]): void
  /** Lets go on what `hold` holds back, now and later. */
  release(): void
  /** Works and holds the answer back until `release`. */
  hold: Act
  [Symbol.asyncDispose](): Promise<void>
}

/** Works, charges and answers. */
export const well: Act = async (reply, work) => {
  reply.writeHead(200, { 'content-type': 'application/json' }).end(await work())
}

/** Answers so, and charges nothing. */
export function says(status: number, body: unknown, headers: Record<string, string> = {}): Act {
  const [type, text] =
    typeof body === 'string' ? ['text/html', body] : ['application/json', JSON.stringify(body)]
  return (reply) => void reply.writeHead(status, { 'content-type': type, ...headers }).end(text)
}

/** Works, and writes just that to the connection before it closes it. */
export function breaksOff(write: (body: string) => string): Act {
  return async (reply, work) => void reply.socket?.end(write(await work()))
}

export async function startFaultyUpstream(): Promise<FaultyUpstream> {
  const calls: string[] = []
  const charges: string[] = []
  const acts: Act[] = []
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const server = createServer((request, reply) => {
    void buffer(request).then(async () => {
      const ref = String(request.headers['idempotency-key'])
      calls.push(ref)
      const work = async () => {
        charges.push(ref)
        const b64_json = (await paint({}, charges.length, '16x16')).toString('base64')
        return JSON.stringify({ created: 1_780_000_000, data: [{ b64_json }], usage: {} })
      }
      await (acts.shift() ?? well)(reply, work)
    })
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const origin = await listen(server)
  return {
    entry: { name: 'faulty', dialect: 'basic', baseUrl: `${origin}/api/v1`, apiKey: 'basic-key' },
    calls,
    charges,
    script: (...next) => void acts.push(...next),
    release,
    hold: async (reply, work) => {
      const body = await work()
      await released
      reply.writeHead(200, { 'content-type': 'application/json' }).end(body)
    },
    async [Symbol.asyncDispose]() {
      release()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
