// A scripted upstream with its own record of charges, to compare with Darkroom's. It speaks the `basic` dialect.
import { createServer, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../providers/upstreams/listen.ts'
import { makeImage } from '../providers/upstreams/make-image.ts'

/** Handles one request. `work` makes the image, charges for it, and returns the response body. */
export type Act = (reply: ServerResponse, work: () => Promise<string>) => Promise<void> | void

export interface FaultyUpstream {
  /** The configuration entry of this upstream. */
  entry: Record<string, unknown>
  /** The client reference of each request, in order. */
  calls: string[]
  /** The client reference of each charge. */
  charges: string[]
  /** Handlers of the next requests, in order; then `succeed`. */
  script(...acts: Act[]): void
  /** Releases every response that `hold` holds, now and later. */
  release(): void
  /** Works, and holds the response until `release`. */
  hold: Act
  [Symbol.asyncDispose](): Promise<void>
}

/** Works, charges and responds. */
export const succeed: Act = async (reply, work) => {
  reply.writeHead(200, { 'content-type': 'application/json' }).end(await work())
}

/** Responds without a charge. */
export function respond(status: number, body: unknown, headers: Record<string, string> = {}): Act {
  const [type, text] =
    typeof body === 'string' ? ['text/html', body] : ['application/json', JSON.stringify(body)]
  return (reply) => void reply.writeHead(status, { 'content-type': type, ...headers }).end(text)
}

/** Works, writes only the given bytes to the connection, and closes it. */
export function breakOff(write: (body: string) => string): Act {
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
        const b64_json = (await makeImage({}, charges.length, '16x16')).toString('base64')
        return JSON.stringify({ created: 1_780_000_000, data: [{ b64_json }], usage: {} })
      }
      await (acts.shift() ?? succeed)(reply, work)
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
