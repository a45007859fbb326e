// One upstream account over HTTP/1.1: sends a message once, says how far it got, and turns every network failure into
// the ProviderError that its phase proves. What status codes and bodies mean is for the dialects.
import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Agent, request, type Dispatcher, type FormData } from 'undici'
import { scrub } from '../../log.ts'
import { MalformedReply } from './malformed.ts'
import { networkFailure } from './network-failure.ts'
import type { Call } from '../provider.ts'
import { retryAfterMs } from './retry-after.ts'
import { watchWire, type WireSeen } from './phase.ts'

export interface Upstream {
  /** Resolves with the reply, whatever its status. Throws ProviderError `unreached` or `lost`. Never sends twice. */
  send(message: Message, call: Pick<Call, 'signal' | 'onWire' | 'traceparent'>): Promise<Reply>
  /**
   * The same for the one message that costs money: it carries our own id for the order, so that whatever is charged over
   * there can be matched to its attempt here.
   */
  place(message: Message, call: Pick<Call, 'signal' | 'onWire' | 'traceparent' | 'clientRef'>): Promise<Reply>
  /** The same text, fit for a client: without this account's secrets, without markup, at most 500 characters. */
  clean(text: string): string
  /** The same text without this account's secrets, else as it is. */
  hide(text: string): string
  /** Ends what is still open, at once. To be called after the last call. */
  close(): Promise<void>
}

export interface Message {
  method: 'GET' | 'POST' | 'DELETE'
  /** Appended to the base URL's path; begins with a slash and may have a query. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | FormData
}

export interface Reply {
  status: number
  /** Lower case, without parameters; '' when there is none. */
  contentType: string
  /** The upstream's own id for the request, from `x-request-id`. */
  requestId: string | undefined
  /** How long the upstream asks us to wait; undefined when it does not say. */
  retryAfterMs: number | undefined
  /** Must be read, once, to its end or to a `return`. A cut connection throws a `lost` ProviderError. */
  body: AsyncIterable<Buffer>
}

export interface UpstreamOptions {
  /** The operator's name for the account, for messages. */
  name: string
  /** Every message, and with it every credential, goes to this origin; redirects are not followed. */
  baseUrl: string
  timeoutMs: number
  /** What no message may show. */
  secrets: readonly string[]
}

/** An upstream with sockets of its own, as many as it has calls. */
export function createUpstream({ name, baseUrl, timeoutMs, secrets }: UpstreamOptions): Upstream {
  const agent = new Agent({
    // HTTP/2 would put all paid calls on one connection, to fail together.
    allowH2: false,
    // A kept connection may be closed by the other side just as an order is written on it. Whether the order arrived is
    // then unknown, and a handshake of 50 ms is cheap beside an order that nobody dares to send again.
    pipelining: 0,
    connections: null,
    connect: { timeout: CONNECT_MS },
    // The caller's deadline is the real one. A stream is silent for as long as it paints, so a pause within a body may
    // be as long as the wait for its head.
    headersTimeout: timeoutMs + MARGIN_MS,
    bodyTimeout: timeoutMs + MARGIN_MS,
  })
  const hide = (text: string) => scrub(without(secrets, text))

  const send: Upstream['send'] = async ({ method, path, headers, body = '' }, call) => {
    // A signature made for this request alone is known nowhere else.
    const wire = watchWire(call, (text) => without(credentialsAmong(headers), hide(text)))
    try {
      call.signal.throwIfAborted()
      const pending = request(urlFor(baseUrl, path), {
        dispatcher: agent.compose(wire.interceptor),
        method,
        headers: { ...USUAL, ...(call.traceparent && { traceparent: call.traceparent }), ...headers },
        body: body === '' ? null : body,
        signal: call.signal,
      })
      const response = await untilAborted(pending, call.signal)
      return toReply(
        response,
        wire.seen(),
        readBody(response, (error) => networkFailure(name, error, wire.seen())),
      )
    } catch (error) {
      throw networkFailure(name, error, wire.seen())
    }
  }

  return {
    send,
    place(message, call) {
      // OpenAI logs the first (API reference, "Debugging requests"). The second is documented for no image endpoint, and
      // helps where a server or a proxy honours it all the same. Whoever knows neither ignores both.
      const ours = { 'x-client-request-id': call.clientRef, 'idempotency-key': call.clientRef }
      return send({ ...message, headers: { ...message.headers, ...ours } }, call)
    },
    clean: (text) => clean(hide(text)),
    hide,
    close: () => agent.destroy(),
  }
}

/** At most `maxBytes` of a body as text; what is cut off or lost is left out. For error bodies, which help but prove little. */
export async function readText(body: AsyncIterable<Buffer>, maxBytes = 64 * 1024): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= maxBytes) break
    }
  } catch {
    // The status has arrived, and it says more than the rest of the body could.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8')
}

function credentialsAmong(headers: Message['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    /authorization|access-(?:key|token)/i.test(name) ? [value] : [],
  )
}

function without(secrets: readonly string[], text: string): string {
  return secrets.reduce(
    (rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[redacted]')),
    text,
  )
}

const USUAL = { 'accept-encoding': 'identity', 'user-agent': 'darkroom' }
const CONNECT_MS = 10_000
const MARGIN_MS = 30_000
// Ten 3840x2160 PNG in base64 are a third of it.
const MAX_BODY_BYTES = 1024 ** 3

function urlFor(baseUrl: string, path: string): URL {
  const base = new URL(baseUrl)
  const url = new URL(base.origin + base.pathname.replace(/\/+$/, '') + path)
  for (const [key, value] of base.searchParams) url.searchParams.append(key, value)
  return url
}

// undici notices an abort only once a connection stands; until then the caller would wait for the connect timeout. What
// is given up here is never sent, because a request whose signal is aborted refuses to start.
function untilAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const settled = () => signal.removeEventListener('abort', abort)
    pending.finally(settled).then(resolve, reject)
  })
}

function toReply(response: Dispatcher.ResponseData, seen: WireSeen, body: AsyncIterable<Buffer>): Reply {
  const [contentType = ''] = String(response.headers['content-type'] ?? '').split(';')
  return {
    status: response.statusCode,
    contentType: contentType.trim().toLowerCase(),
    requestId: seen.providerRequestId,
    retryAfterMs: retryAfterMs(response.headers),
    body,
  }
}

async function* readBody(
  response: Dispatcher.ResponseData,
  toFailure: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  const chunks = decoded(response)[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  let size = 0
  async function read(): Promise<IteratorResult<Buffer, undefined>> {
    try {
      return await chunks.next()
    } catch (error) {
      throw toFailure(error)
    }
  }
  try {
    for (let next = await read(); !next.done; next = await read()) {
      size += next.value.length
      if (size > MAX_BODY_BYTES) throw new MalformedReply(`is longer than ${MAX_BODY_BYTES} bytes`)
      yield next.value
    }
  } finally {
    await chunks.return?.()
  }
}

// Compression was not asked for, but a proxy in between may not care, and the reply is paid for.
function decoded({ body, headers }: Dispatcher.ResponseData): Readable {
  const decoder = DECODERS[String(headers['content-encoding'] ?? '').toLowerCase()]
  return decoder ? pipeline(body, decoder(), () => undefined) : body
}

const DECODERS: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

function clean(text: string): string {
  const plain = text
    .replaceAll(/<[^<>]{1,300}>/g, ' ')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return plain.length > 500 ? `${plain.slice(0, 499)}…` : plain
}
