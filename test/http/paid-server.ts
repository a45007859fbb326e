// A server whose provider charges for every request, to check that an invalid request has no effect.
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { GATEWAY_ERROR_CODES } from '../../src/errors.ts'
import { REQUEST_ERRORS } from '../../src/http/refusal.ts'
import { startOpenaiUpstream, type OpenaiUpstream } from '../providers/upstreams/openai.ts'
import { openGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'

export interface PaidServer {
  server: TestGateway
  upstream: OpenaiUpstream
  [Symbol.asyncDispose](): Promise<void>
}

export async function openPaidServer(options: TestGatewayOptions = {}): Promise<PaidServer> {
  const upstream = await startOpenaiUpstream()
  const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
  const server = await openGateway({ providers: [provider], ...options })
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await upstream.close()
    },
  }
}

/** No task, hence no attempt and no event. The feed cursor counts all events ever written. */
export async function expectNothingLeft({ server, upstream }: PaidServer): Promise<void> {
  const { tasks, providers } = await server.get<{
    tasks: { nodes: unknown[]; feedCursor: string }
    providers: { queuedAttempts: number; runningAttempts: number }[]
  }>('{ tasks { nodes { id } feedCursor } providers { queuedAttempts runningAttempts } }')
  expect(tasks.nodes).toEqual([])
  expect(Buffer.from(tasks.feedCursor, 'base64url').toString()).toMatch(/:0$/)
  expect(providers).toEqual([{ queuedAttempts: 0, runningAttempts: 0 }])
  expect(upstream.requests).toEqual([])
  expect(upstream.charges.size).toBe(0)
}

const CODES = new Set<string>([...GATEWAY_ERROR_CODES, ...Object.keys(REQUEST_ERRORS)])

/** The error codes in a JSON text that are on neither list. */
export function unknownCodes(json: string): string[] {
  const found = [
    ...json.matchAll(/"extensions":\{[^{}]*?"code":"([^"]*)"/g),
    ...json.matchAll(/^\{"error":\{"code":"([^"]*)"/g),
  ]
  return found.flatMap(([, code = '']) => (CODES.has(code) ? [] : [code]))
}

/** Of GraphQL or of another route. */
export function refusalIn(json: string): { code: unknown; message: unknown } {
  const answer: {
    errors?: { message: string; extensions?: Record<string, unknown> }[]
    error?: { code: string; message: string }
  } = JSON.parse(json)
  const [first] = answer.errors ?? []
  return first
    ? { code: first.extensions?.['code'], message: first.message }
    : { code: answer.error?.code, message: answer.error?.message }
}

/** Sends raw bytes, and returns the response when the connection closes. */
export async function sendRaw(
  url: string,
  bytes: string | Buffer,
): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  // A server that refuses need not read the entire request.
  socket.on('error', () => {})
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body }
}
