// What all fake upstreams share: a real socket, failure scenarios, the received requests, and a ledger of charges. The
// regular replies are in each upstream's own file.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { listen } from './listen.ts'
import { paint } from './painted-images.ts'

/**
 * What the upstream does with a request. `ok` is its best; an object is sent as it stands, and charges nothing, nor does
 * what a function makes of the request.
 *
 * `drip` sends the best in pieces of 100 bytes, `truncated` cuts it, `hang` holds it back until `release`, and
 * `reset-after-request` drops it with the connection: all of those charge. `empty-data` is a success without content.
 */
export type Scenario =
  | 'ok'
  | 'drip'
  | 'truncated'
  | 'hang'
  | 'html'
  | 'empty-data'
  | 'reset-at-accept'
  | 'reset-after-request'
  | CannedReply
  | Echo

/** Answers with something of the request, and charges nothing. */
export type Echo = (request: Pick<ReceivedRequest, 'headers' | 'body'>) => CannedReply

export interface CannedReply {
  status: number
  headers?: Record<string, string>
  /** A text is sent as it is, anything else as JSON. */
  body: unknown
}

export interface ReceivedRequest {
  method: string
  /** With its query. */
  path: string
  headers: IncomingHttpHeaders
  /** Byte for byte. */
  body: Buffer
  /** The body when it was a JSON object, else empty. */
  parameters: Record<string, unknown>
}

export interface FakeUpstream {
  /** The base URL, as a provider's configuration names it. */
  url: string
  requests: ReceivedRequest[]
  /** Every picture that was painted, in order; also served at `{origin}/pictures/{index}`. */
  pictures: Buffer[]
  /** How often each request was charged, by its id upstream. */
  charges: Map<string, number>
  /** Every charge in order, by the id upstream and the client ref. */
  ledger: { id: string; clientRef: string; micros: number }[]
  /** What to do with the next requests, in order; `ok` when the list has run out. */
  script(...scenarios: Scenario[]): void
  /** Lets everything go on that `hang` holds back, now and later. */
  release(): void
  close(): Promise<void>
}

/** What distinguishes an upstream. */
export interface Manners {
  /** The path of the base URL. */
  basePath: string
  /** Its answer to a request when all is well, refusals included. */
  answer: (request: ReceivedRequest, counter: Counter) => Promise<CannedReply> | CannedReply
  /** A success with nothing in it. */
  empty: CannedReply
  /** Size of the images; 16x16 by default. */
  pictures?: PictureSize | undefined
}

/** Small ones are painted faster. */
export type PictureSize = '16x16' | 'as requested'

/** Where work is done and charged. */
export interface Counter {
  /** In micro-USD; nothing where the test does not ask for the price. */
  charge: (id: string, micros?: number) => void
  /** A picture of its own colour. */
  paint: (parameters?: Record<string, unknown>) => Promise<{ bytes: Buffer; url: string }>
}

/** Starts one on a free port of the loopback address. */
export async function startFake(manners: Manners): Promise<FakeUpstream> {
  const { basePath, answer, empty, pictures: pictureSize = '16x16' } = manners
  const requests: ReceivedRequest[] = []
  const pictures: Buffer[] = []
  const charges = new Map<string, number>()
  const ledger: FakeUpstream['ledger'] = []
  const scenarios: Scenario[] = []
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const counterFor = (request: ReceivedRequest): Counter => ({
    charge(id, micros = 0) {
      charges.set(id, (charges.get(id) ?? 0) + 1)
      ledger.push({ id, clientRef: clientRefOf(request.headers), micros })
    },
    async paint(parameters = {}) {
      const number = pictures.length
      // Reserved before painting: another image may be painted meanwhile.
      pictures.push(Buffer.alloc(0))
      const bytes = await paint(parameters, number, pictureSize === 'as requested' ? undefined : pictureSize)
      pictures[number] = bytes
      return { bytes, url: `${origin}/pictures/${number}` }
    },
  })

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const stored = pictures[Number(/^\/pictures\/(\d+)$/.exec(incoming.url ?? '')?.[1])]
    if (stored) return void response.setHeader('content-type', 'image/png').end(stored)
    const request = await receive(incoming)
    requests.push(request)
    const scenario = scenarios.shift() ?? 'ok'
    if (typeof scenario === 'object') return send(response, scenario)
    if (typeof scenario === 'function') return send(response, scenario(request))
    if (scenario === 'empty-data') return send(response, empty)
    if (scenario === 'html') return send(response, HTML)
    const reply = await answer(request, counterFor(request))
    if (scenario === 'hang') await released
    if (scenario === 'reset-after-request') return void response.socket?.resetAndDestroy()
    if (scenario === 'truncated') return cut(response, reply)
    if (scenario === 'drip') return drip(response, reply)
    send(response, reply)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) =>
      response.destroy(new Error('The upstream broke', { cause: error })),
    )
  })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    if (scenarios[0] !== 'reset-at-accept') return
    scenarios.shift()
    socket.resetAndDestroy()
  })
  const origin = await listen(server)

  return {
    url: origin + basePath,
    requests,
    pictures,
    charges,
    ledger,
    script: (...next) => void scenarios.push(...next),
    release,
    close() {
      release()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The client ref of a request; throws when it has none, or two that differ. */
export function clientRefOf(headers: IncomingHttpHeaders): string {
  const [ref, ...others] = new Set([headers['x-client-request-id'], headers['idempotency-key']])
  if (typeof ref !== 'string' || others.length > 0)
    throw new Error(`A request has the client refs ${String(ref)}, ${others.join()}`)
  return ref
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const body = await buffer(incoming)
  const { url: path = '', method = '', headers } = incoming
  const isJson = headers['content-type'] === 'application/json'
  const parameters = isJson ? PARAMETERS.parse(JSON.parse(body.toString())) : {}
  return { method, path, headers, body, parameters }
}

function send(response: ServerResponse, reply: CannedReply): void {
  const { type, text } = toText(reply)
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers }).end(text)
}

function cut(response: ServerResponse, reply: CannedReply): void {
  const { type, text } = toText(reply)
  response.writeHead(reply.status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.write(text.slice(0, -10), () => response.destroy())
}

async function drip(response: ServerResponse, reply: CannedReply): Promise<void> {
  const { type, text } = toText(reply)
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers })
  for (let at = 0; at < text.length; at += 100) {
    response.write(text.slice(at, at + 100))
    await setImmediate()
  }
  response.end()
}

function toText({ body }: CannedReply): { type: string; text: string } {
  if (typeof body === 'string') return { type: 'text/plain', text: body }
  return { type: 'application/json', text: JSON.stringify(body) }
}

const PARAMETERS = z.record(z.string(), z.unknown())
const HTML = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html><h1>502</h1> <b>later</b></html>',
}
