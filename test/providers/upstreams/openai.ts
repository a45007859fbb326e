// A fake OpenAI Images API on a real socket. It refuses what OpenAI refuses, generates real images, fails by scenario, and
// records the charges.
import { buffer } from 'node:stream/consumers'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { clientRefOf, send as sendCanned, type CannedReply, type Echo } from './fake.ts'
import { listen } from './listen.ts'
import { makeImage } from './make-image.ts'
import { problemWith, type Refusal } from './openai-rules.ts'
import { openaiTokens } from './tariff.ts'

/**
 * How the upstream responds to a request. `ok` streams if requested. An object, or the object that a function returns, is
 * sent unchanged.
 */
export type OpenaiScenario =
  | 'ok'
  | 'ok-json'
  | 'ok-stream'
  | 'ok-url'
  | 'final-before-partials'
  | 'hold-final'
  | 'stream-error'
  | 'eof-without-final'
  | 'html'
  | 'empty-data'
  | 'truncated'
  | 'reset-at-accept'
  | 'reset-after-request'
  | 'hang'
  | 'drip'
  | CannedReply
  | Echo

export interface ReceivedRequest {
  path: string
  headers: IncomingHttpHeaders
  /** Byte for byte. */
  body: Buffer
  /** The JSON body, or the text parts of the multipart one. */
  parameters: Record<string, unknown>
  /** The file parts in order, each with its field name. */
  files: { field: string; name: string; type: string; bytes: Buffer }[]
}

export interface OpenaiUpstream {
  /** The base URL, with `/v1`. */
  url: string
  requests: ReceivedRequest[]
  /** Every image that was sent, in order, including partial images. */
  imageBytes: Buffer[]
  /** The number of charges by X-Client-Request-Id. */
  charges: Map<string, number>
  /** Every charge in order, with the amount in micro-USD. */
  ledger: { clientRef: string; micros: number }[]
  /** The scenarios of the next requests, in order; `ok` after the last one. */
  script(...scenarios: OpenaiScenario[]): void
  /** Sends all replies that `hang` and `hold-final` delay, now and later. */
  release(): void
  close(): Promise<void>
}

interface Exchange {
  request: ReceivedRequest
  response: ServerResponse
  scenario: OpenaiScenario
  /** Charges this number of prompts and images. */
  charge: (count: { prompts: number; images: number }) => void
  released: Promise<void>
  nextImage: (size?: string) => Promise<Buffer>
}

interface OpenaiUpstreamOptions {
  apiKey?: string
  /** Of the base URL. */
  basePath?: string
  /** Of a service with other paths and credentials: the request as OpenAI has it, or a refusal. */
  front?: (request: ReceivedRequest) => ReceivedRequest | CannedReply
}

/** Starts the upstream on a free loopback port. */
export async function startOpenaiUpstream({
  apiKey = 'sk-test-key',
  basePath = '/v1',
  front = (request) => request,
}: OpenaiUpstreamOptions = {}): Promise<OpenaiUpstream> {
  const requests: ReceivedRequest[] = []
  const imageBytes: Buffer[] = []
  const charges = new Map<string, number>()
  const ledger: OpenaiUpstream['ledger'] = []
  const scenarios: OpenaiScenario[] = []
  const { promise: released, resolve: release } = Promise.withResolvers<void>()

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const stored = imageBytes[Number(/^\/images\/(\d+)$/.exec(incoming.url ?? '')?.[1])]
    if (stored) return void response.setHeader('content-type', 'image/png').end(stored)
    const received = await receive(incoming)
    requests.push(received)
    const request = front(received)
    if ('status' in request) return sendCanned(response, request)
    const refusal = problemWith(request, apiKey)
    if (refusal) return sendCanned(response, refused(refusal))
    const ref = clientRefOf(request.headers)
    const exchange: Exchange = {
      request,
      response,
      scenario: scenarios.shift() ?? 'ok',
      charge({ prompts, images }) {
        charges.set(ref, (charges.get(ref) ?? 0) + 1)
        const tokens = { textIn: 21 * prompts, imageIn: 0, imageOut: 196 * images }
        ledger.push({ clientRef: ref, micros: openaiTokens(tokens) })
      },
      released,
      nextImage: async (size) => {
        const number = imageBytes.length
        // Reserve the position, because another image may be generated meanwhile.
        imageBytes.push(Buffer.alloc(0))
        const bytes = await makeImage(request.parameters, number, size)
        imageBytes[number] = bytes
        return bytes
      },
    }
    await act(exchange)
  }

  const server = createServer((incoming, response) => {
    response.setHeader('x-request-id', `req_${requests.length + 1}`)
    answer(incoming, response).catch((error: unknown) =>
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

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const body = await buffer(incoming)
  const request: ReceivedRequest = {
    path: incoming.url ?? '',
    headers: incoming.headers,
    body,
    parameters: {},
    files: [],
  }
  const type = incoming.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/')) {
    return { ...request, parameters: body.length > 0 ? PARAMETERS.parse(JSON.parse(body.toString())) : {} }
  }
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  for (const [field, value] of form) {
    if (typeof value === 'string') request.parameters[field] = value
    else {
      const bytes = Buffer.from(await value.arrayBuffer())
      request.files.push({ field, name: value.name, type: value.type, bytes })
    }
  }
  return request
}

async function act(exchange: Exchange): Promise<void> {
  const { scenario, request, response } = exchange
  if (typeof scenario === 'object') return sendCanned(response, scenario)
  if (typeof scenario === 'function') return sendCanned(response, scenario(request))
  if (scenario === 'html')
    return sendCanned(response, { status: 200, headers: HTML, body: '<html>"502" <b>later</b></html>' })
  if (scenario === 'empty-data') return sendCanned(response, { status: 200, body: { created: 1, data: [] } })
  if (scenario === 'stream-error' || scenario === 'hold-final') return sendStream(exchange)
  if (scenario === 'ok-stream' || scenario === 'eof-without-final' || scenario === 'final-before-partials')
    return sendStream(exchange)
  const n = Number(request.parameters.n ?? 1)
  if (scenario === 'hang') {
    exchange.charge({ prompts: 1, images: n })
    await exchange.released
  }
  if (scenario === 'reset-after-request') {
    exchange.charge({ prompts: 1, images: n })
    return void response.socket?.resetAndDestroy()
  }
  const wantsStream = String(request.parameters.stream) === 'true'
  if (wantsStream && (scenario === 'ok' || scenario === 'hang')) return sendStream(exchange)
  return sendJson(exchange)
}

async function sendJson({ scenario, request, response, nextImage, charge }: Exchange): Promise<void> {
  const n = Number(request.parameters.n ?? 1)
  const data: object[] = []
  for (let index = 0; index < n; index++) {
    const bytes = await nextImage()
    const base64 = { b64_json: bytes.toString('base64') }
    data.push(scenario === 'ok-url' ? { url: `http://${request.headers.host}/images/${index}` } : base64)
  }
  if (scenario !== 'hang') charge({ prompts: 1, images: n })
  const outputs = { output_tokens_details: { image_tokens: 196 * n, text_tokens: 0 } }
  const usage = { ...usageOf(n), ...outputs }
  const body = JSON.stringify({
    created: 1_780_003_000,
    ...chosenBy(request),
    data,
    usage,
    ...svgUsageOf(request),
  })
  response.setHeader('content-type', 'application/json').setHeader('content-length', Buffer.byteLength(body))
  if (scenario === 'truncated')
    return void response.write(body.slice(0, body.indexOf('b64_json') + 30), () => response.destroy())
  if (scenario !== 'drip') return void response.end(body)
  for (let at = 0; at < body.length; at += 100) {
    response.write(body.slice(at, at + 100))
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

async function sendStream({
  scenario,
  request,
  response,
  nextImage,
  charge,
  released,
}: Exchange): Promise<void> {
  const { partial_images = 0, n = 1 } = request.parameters
  const kind = request.path.endsWith('/edits') ? 'image_edit' : 'image_generation'
  const send = (type: string, fields: object) =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)

  async function partial(index: number): Promise<void> {
    const b64_json = (await nextImage('256x256')).toString('base64')
    send(`${kind}.partial_image`, {
      b64_json,
      created_at: 1,
      ...chosenBy(request),
      partial_image_index: index,
    })
  }
  async function final(): Promise<void> {
    const b64_json = (await nextImage()).toString('base64')
    send(`${kind}.completed`, { b64_json, created_at: 2, ...chosenBy(request), usage: usageOf(1) })
  }

  response.setHeader('content-type', 'text/event-stream; charset=utf-8').flushHeaders()
  // Each final event is charged as one prompt and one image.
  const finals = scenario === 'final-before-partials' ? 1 : Number(n)
  if (scenario !== 'hang') charge({ prompts: finals, images: finals })
  if (scenario === 'final-before-partials') await final()
  for (let index = 0; index < Number(partial_images); index++) await partial(index)
  if (scenario === 'stream-error') {
    send('error', {
      error: { type: 'image_generation_server_error', code: 'server_error', message: 'The canvas tore.' },
    })
  } else if (scenario !== 'eof-without-final' && scenario !== 'final-before-partials') {
    if (scenario === 'hold-final') await released
    for (let index = 0; index < Number(n); index++) await final()
  }
  response.end()
}

function chosenBy({ parameters }: ReceivedRequest): object {
  const { size = 'auto', quality = 'low', background = 'opaque', output_format = 'png' } = parameters
  return { size: size === 'auto' ? '1024x1024' : size, quality, background, output_format }
}

function usageOf(n: number): object {
  const input_tokens_details = { text_tokens: 21, image_tokens: 0 }
  return { total_tokens: 21 + 196 * n, input_tokens: 21, output_tokens: 196 * n, input_tokens_details }
}

function svgUsageOf({ parameters }: ReceivedRequest): object {
  if (parameters.output_format !== 'svg') return {}
  const model =
    parameters['svg[model]'] ?? z.object({ model: z.string() }).safeParse(parameters.svg).data?.model
  const counts = { input_tokens: 40, output_tokens: 900, reasoning_tokens: 300, total_tokens: 940 }
  return { svg_usage: { model: model ?? 'default-author', ...counts } }
}

const PARAMETERS = z.record(z.string(), z.unknown())
const HTML = { 'content-type': 'text/html' }

function refused({ status, type, code, param, message }: Refusal): CannedReply {
  return { status, body: { error: { message, type, param, code } } }
}
