// The common part of all fake upstreams: a real socket, failure scenarios, the received requests, and a ledger of charges.
// The regular replies are in the file of each upstream.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { listen } from './listen.ts'
import { makeImage } from './make-image.ts'

/**
 * How the upstream responds to a request. `ok` is its regular reply. An object, or the object that a function returns, is
 * sent unchanged and without a charge.
 *
 * `drip` sends the regular reply in pieces of 100 bytes, `truncated` cuts it, `hang` delays it until `release`, and
 * `reset-after-request` resets the connection instead: all of them charge. `empty-data` is a success without content.
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

/** Returns a reply that repeats parts of the request. Charges nothing. */
export type Echo = (request: Pick<ReceivedRequest, 'headers' | 'body'>) => CannedReply

export interface CannedReply {
  status: number
  headers?: Record<string, string>
  /** Strings and bytes are sent unchanged, anything else as JSON. */
  body: unknown
  /** How the message ends after the whole body; well by default. */
  ending?: Ending | undefined
}

/** `closed early` announces more than it sends, and `hang` never ends the message. */
export type Ending = 'last chunk missing' | 'closed early' | 'reset' | 'hang'

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
  /** Every generated image, in order; also served at `{origin}/images/{index}`. */
  imageBytes: Buffer[]
  /** The number of charges of each request, by its id upstream. */
  charges: Map<string, number>
  /** Every charge in order, by the id upstream and the client ref. */
  ledger: { id: string; clientRef: string; micros: number }[]
  /** The scenarios of the next requests, in order; `ok` after the last one. */
  script(...scenarios: Scenario[]): void
  /** Sends all replies that `hang` delays, now and later. */
  release(): void
  close(): Promise<void>
}

/** The differences between upstreams. */
export interface UpstreamOptions {
  /** The path of the base URL. */
  basePath: string
  /** Its regular reply to a request, refusals included. */
  answer: (request: ReceivedRequest, counter: Backend) => Promise<CannedReply> | CannedReply
  /** A success without content. */
  empty: CannedReply
  /** 16x16 by default. */
  imageSize?: ImageSize | undefined
}

/** Small images are generated faster. */
export type ImageSize = '16x16' | 'as requested'

/** Generates images and records charges. */
export interface Backend {
  /** `micros` is the price in micro-USD, 0 by default. */
  charge: (id: string, micros?: number) => void
  /** Generates an image with a color of its own. */
  makeImage: (parameters?: Record<string, unknown>) => Promise<{ bytes: Buffer; url: string }>
}

/** Starts a fake upstream on a free loopback port. */
export async function startFake(options: UpstreamOptions): Promise<FakeUpstream> {
  const { basePath, answer, empty, imageSize = '16x16' } = options
  const requests: ReceivedRequest[] = []
  const imageBytes: Buffer[] = []
  const charges = new Map<string, number>()
  const ledger: FakeUpstream['ledger'] = []
  const scenarios: Scenario[] = []
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const backendFor = (request: ReceivedRequest): Backend => ({
    charge(id, micros = 0) {
      charges.set(id, (charges.get(id) ?? 0) + 1)
      ledger.push({ id, clientRef: clientRefOf(request.headers), micros })
    },
    async makeImage(parameters = {}) {
      const number = imageBytes.length
      // Reserve the position, because another image may be generated meanwhile.
      imageBytes.push(Buffer.alloc(0))
      const bytes = await makeImage(parameters, number, imageSize === 'as requested' ? undefined : imageSize)
      imageBytes[number] = bytes
      return { bytes, url: `${origin}/images/${number}` }
    },
  })

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const stored = imageBytes[Number(/^\/images\/(\d+)$/.exec(incoming.url ?? '')?.[1])]
    if (stored) return void response.setHeader('content-type', 'image/png').end(stored)
    const request = await receive(incoming)
    requests.push(request)
    const scenario = scenarios.shift() ?? 'ok'
    if (typeof scenario === 'object') return send(response, scenario)
    if (typeof scenario === 'function') return send(response, scenario(request))
    if (scenario === 'empty-data') return send(response, empty)
    if (scenario === 'html') return send(response, HTML)
    const reply = await answer(request, backendFor(request))
    if (scenario === 'hang') await released
    if (scenario === 'reset-after-request') return void response.socket?.resetAndDestroy()
    if (scenario === 'truncated') return cut(response, reply)
    if (scenario === 'drip') return drip(response, reply)
    send(response, reply)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) =>
      response.destroy(new Error('The fake upstream failed', { cause: error })),
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
    imageBytes,
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

/** The client ref of a request. Throws if the request has none, or two different ones. */
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

/** Calls `onWritten` when the whole body was given to the operating system. */
export function send(response: ServerResponse, reply: CannedReply, onWritten = () => {}): void {
  const { type, bytes } = toBytes(reply)
  const { status, headers, ending } = reply
  const length = ending === 'closed early' ? { 'content-length': bytes.length + 10 } : {}
  response.writeHead(status, { 'content-type': type, ...headers, ...length })
  if (ending === undefined) return void response.end(bytes, onWritten)
  const { socket } = response
  response.write(bytes, (error) => {
    if (!error) onWritten()
    if (ending === 'hang') return
    if (ending !== 'reset') return socket?.destroySoon()
    // A reset discards what the other side did not read yet.
    setTimeout(() => socket?.resetAndDestroy(), 5)
  })
}

/** Within the image, or its address. */
function cut(response: ServerResponse, reply: CannedReply): void {
  const { type, bytes } = toBytes(reply)
  const image = RESULT_START.exec(bytes.toString('latin1'))
  const end = image ? image.index + image[0].length : bytes.length - 10
  response.writeHead(reply.status, { 'content-type': type, 'content-length': bytes.length })
  response.write(bytes.subarray(0, end), () => response.destroy())
}

async function drip(response: ServerResponse, reply: CannedReply): Promise<void> {
  const { type, bytes } = toBytes(reply)
  response.writeHead(reply.status, { 'content-type': type, ...reply.headers })
  for (let at = 0; at < bytes.length; at += 100) {
    response.write(bytes.subarray(at, at + 100))
    await setImmediate()
  }
  response.end()
}

function toBytes({ body }: CannedReply): { type: string; bytes: Buffer } {
  if (Buffer.isBuffer(body)) return { type: 'application/octet-stream', bytes: body }
  if (typeof body === 'string') return { type: 'text/plain', bytes: Buffer.from(body) }
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) }
}

const RESULT_START = /"b64_json":"[^"]{10}|"https?:[^"]{10}/
const PARAMETERS = z.record(z.string(), z.unknown())
const HTML = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html><h1>502</h1> <b>later</b></html>',
}
