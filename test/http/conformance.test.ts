// What clients rely on beyond GraphQL itself: statuses, headers and close codes.
import { once } from 'node:events'
import { createClient as createSocketClient } from 'graphql-ws'
import { createClient as createStreamClient } from 'graphql-sse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { newPlace } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const EVENTS = 'subscription ($id: ID!) { taskEvents(taskId: $id) { __typename } }'
const STALLED = 'a fox [sandbox:stall]'

function post(url: string, body: unknown, accept: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept }
  return fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('a request', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await openGateway()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  it.each([
    ['application/graphql-response+json', 400],
    ['application/json', 200],
  ])('with a wrong variable is not executed, for %s with status %d', async (accept, status) => {
    const query = 'query ($first: Int) { tasks(first: $first) { totalCount } }'
    const response = await post(gateway.url, { query, variables: { first: 'many' } }, accept)
    expect(response.status).toBe(status)
    const body: unknown = await response.json()
    expect(body).not.toHaveProperty('data')
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'first' } }] })
  })

  it.each([
    ['application/graphql-response+json', 400],
    ['application/json', 200],
  ])(
    'with the hash of a query alone is told to send the query, for %s with status %d',
    async (accept, status) => {
      const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } }
      const response = await post(gateway.url, { extensions }, accept)
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({
        errors: [
          { message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } },
        ],
      })
      const whole = await post(gateway.url, { query: '{ providers { name } }', extensions }, accept)
      expect(await whole.json()).toEqual({ data: { providers: [{ name: 'sandbox' }] } })
    },
  )

  it('for a stream has headers that keep proxies from collecting and compressing it', async () => {
    const id = await gateway.generate({ prompt: STALLED })
    const body = { query: EVENTS, variables: { id } }
    for (const one of [body, { query: '{ providers { name } }' }]) {
      const response = await post(gateway.url, one, 'text/event-stream')
      expect(response.headers.get('x-accel-buffering')).toBe('no')
      expect(response.headers.get('cache-control')).toBe('no-cache, no-transform')
      await response.body?.cancel()
    }
  })

  it.each([
    ['PUT', {}, 405, 'METHOD_NOT_ALLOWED', 'use a request per subscription'],
    [
      'POST',
      { accept: 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0' },
      406,
      'NOT_ACCEPTABLE',
      'text/event-stream',
    ],
    ['POST', { 'content-encoding': 'br' }, 415, 'UNSUPPORTED_MEDIA_TYPE', ''],
  ])(
    'by %s with %j is refused in the form of a GraphQL response',
    async (method, headers, status, code, words) => {
      const query = 'subscription { taskFeed { __typename } }'
      const init = { method, body: JSON.stringify({ query }) }
      const response = await fetch(`${gateway.url}/graphql`, {
        ...init,
        headers: { 'content-type': 'application/json', ...headers },
      })
      expect(response.status).toBe(status)
      expect(await response.json()).toEqual({
        errors: [{ message: expect.stringContaining(words), extensions: { code } }],
      })
    },
  )

  it('for a part of a result with @defer is refused by the name of the directive', async () => {
    const query = '{ ... @defer { providers { name } } }'
    const response = await post(gateway.url, { query }, 'application/graphql-response+json')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      errors: [
        { message: expect.stringContaining('@defer'), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
      ],
    })
  })
})

describe('a server that shuts down', () => {
  it('tells event streams and WebSockets to connect again, and clients do with default options', async () => {
    const place = await newPlace('sqlite')
    const server = await openGateway({ place })
    const id = await server.generate({ prompt: STALLED })
    const { pathname, port } = new URL(`${server.url}/graphql`)
    const closes: number[] = []
    const sockets = createSocketClient({
      url: `ws://127.0.0.1:${port}${pathname}`,
      webSocketImpl: WebSocket,
      on: { closed: (event) => closes.push((event as { code: number }).code) },
    })
    const streams = createStreamClient({ url: `${server.url}/graphql` })
    const request = { query: EVENTS, variables: { id } }
    const stopping = new AbortController()
    const overSocket = sockets.iterate(request)
    const overStream = streams.iterate(request)
    await Promise.all([overSocket.next(), overStream.next()])
    const next = Promise.all([overSocket.next(), overStream.next()])
    // The call is never answered: it is cut at the end.
    const stopped = server.gateway.stop({ deadlineMs: 60_000, forceStop: stopping.signal })

    const refused = await post(server.url, request, 'text/event-stream')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    const mutation = { query: 'mutation { generateImage(input: { prompt: "x" }) { __typename } }' }
    const asked = await post(server.url, mutation, 'application/json')
    expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '2'])
    const late = new WebSocket(`ws://127.0.0.1:${port}${pathname}`, 'graphql-transport-ws')
    const [code] = (await once(late, 'close')) as [number]
    expect(code).toBe(1012)

    stopping.abort()
    await stopped
    await using again = await openGateway({ place, settings: { port: Number(port) } })
    const received = await next
    expect(received).toMatchObject([{ done: false }, { done: false }])
    expect(closes).not.toEqual([])
    await Promise.all([overSocket.return?.(), overStream.return?.()])
    await sockets.dispose()
    streams.dispose()
    void again
  })
})
