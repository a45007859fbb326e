import { Agent, request, type Dispatcher, type FormData } from 'undici'
import { redactSecrets } from '../../log.ts'
import { decodeBody } from './decode.ts'
import { MalformedReply } from './malformed.ts'
import type { Call } from '../provider.ts'
import { retryAfterMs } from './retry-after.ts'
import { untilAborted } from './until-aborted.ts'
import { networkFailure, watchWire } from './phase.ts'

export interface Message {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | FormData
}

export interface Reply {
  /** Of the request. */
  url: string
  status: number
  /** Without parameters; '' if absent. */
  contentType: string
  requestId: string | undefined
  retryAfterMs: number | undefined
  /** Read once. Throws ProviderError `lost`. */
  body: AsyncIterable<Buffer>
  /** For clients: no secrets or markup, at most 500 characters. */
  clean: (text: string) => string
}

export interface UpstreamOptions {
  name: string
  /** The only origin that gets credentials: no redirects. */
  baseUrl: string
  timeoutMs: number
  secrets: readonly string[]
}

export type Upstream = ReturnType<typeof createUpstream>

export function createUpstream({ name, baseUrl, timeoutMs, secrets }: UpstreamOptions) {
  const agent = new Agent({
    // HTTP/2 would put all paid calls on one connection.
    allowH2: false,
    // No keep-alive: an upstream may close during a write.
    pipelining: 0,
    connections: null,
    connect: { timeout: CONNECT_MS },
    // After the caller's deadline.
    headersTimeout: timeoutMs + MARGIN_MS,
    bodyTimeout: timeoutMs + MARGIN_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  const redact = (text: string) => redactSecrets(without(secrets, text))

  /** Once. Resolves with any status. Throws ProviderError `unreached` or `lost`. */
  async function send(
    { method, path, headers, body = '' }: Message,
    call: Pick<Call, 'signal' | 'onWire' | 'traceparent'>,
  ): Promise<Reply> {
    // A signature is not among the account's secrets.
    const hideAll = (text: string) => redact(without(credentialsIn(headers), text))
    const wire = watchWire(call, hideAll)
    const { signal, traceparent } = call
    try {
      signal.throwIfAborted()
      const url = urlFor(baseUrl, path)
      const pending = request(url, {
        dispatcher: agent.compose(wire.interceptor),
        method,
        headers: { ...DEFAULT_HEADERS, ...(traceparent && { traceparent }), ...headers },
        body: body === '' ? null : body,
        signal,
      })
      const response = await untilAborted(pending, signal)
      const [contentType = ''] = String(response.headers['content-type'] ?? '').split(';')
      return {
        url: url.href,
        status: response.statusCode,
        contentType: contentType.trim().toLowerCase(),
        requestId: wire.state().providerRequestId,
        retryAfterMs: retryAfterMs(response.headers),
        body: readBody(response, wire, (error) => networkFailure(name, error, wire.state())),
        clean: (text) => toPlainText(hideAll(text)),
      }
    } catch (error) {
      throw networkFailure(name, error, wire.state())
    }
  }

  return {
    send,
    submit(message: Message, call: Parameters<typeof send>[1] & Pick<Call, 'clientRef'>): Promise<Reply> {
      // OpenAI logs the first ("Debugging requests"); a proxy may honour the second.
      const ids = { 'x-client-request-id': call.clientRef, 'idempotency-key': call.clientRef }
      return send({ ...message, headers: { ...message.headers, ...ids } }, call)
    },
    redact,
    close: () => agent.destroy(),
  }
}

function credentialsIn(headers: Message['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    /authorization|(?:access|api)-(?:key|token)/i.test(name) ? [value] : [],
  )
}

function without(secrets: readonly string[], text: string): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
}

const DEFAULT_HEADERS = { 'accept-encoding': 'identity', 'user-agent': 'darkroom' }
const CONNECT_MS = 10_000
const MARGIN_MS = 30_000
/** Some proxies send policies of 20 KB. */
export const MAX_HEADER_BYTES = 256 * 1024
// Ten PNG images of 3840x2160 in base64 take a third of it.
const MAX_BODY_BYTES = 1024 ** 3

function urlFor(baseUrl: string, path: string): URL {
  const base = new URL(baseUrl)
  const url = new URL(base.origin + base.pathname.replace(/\/+$/, '') + path)
  for (const [key, value] of base.searchParams) url.searchParams.append(key, value)
  return url
}

async function* readBody(
  response: Dispatcher.ResponseData,
  wire: ReturnType<typeof watchWire>,
  toFailure: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  let size = 0
  let ended = false
  try {
    for await (const chunk of decodeBody(response)) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) throw new MalformedReply(`is longer than ${MAX_BODY_BYTES} bytes`)
      yield chunk
    }
    ended = true
    const { bodyError } = wire.state()
    if (bodyError) throw bodyError
  } catch (error) {
    ended = true
    throw error instanceof MalformedReply ? error : toFailure(error)
  } finally {
    // Its reader has enough.
    if (!ended && wire.state().phase !== 'BODY_DONE') wire.endBody()
  }
}

function toPlainText(text: string): string {
  const plain = text
    .replaceAll(/<[^<>]{1,300}>/g, ' ')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return plain.length > 500 ? `${plain.slice(0, 499)}…` : plain
}
