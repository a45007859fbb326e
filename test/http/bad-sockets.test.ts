// Errors of a client on a WebSocket: a close code of graphql-transport-ws, or an error of one operation.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/clock.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import { createClientReader } from '../../src/http/security/client.ts'
import { createGraphQL } from '../../src/http/graphql/graphql.ts'
import { listen } from '../../src/http/server.ts'
import { createPersistedQueries } from '../../src/http/graphql/persisted-queries.ts'
import { createSockets } from '../../src/http/graphql/websocket.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { noTracing } from '../../src/tracing.ts'
import type { Result } from '../support/client.ts'
import { expectNothingLeft, openPaidServer, unknownCodes, type PaidServer } from './paid-server.ts'

interface Message {
  id?: string
  type: string
  /** A result or errors. */
  payload?: Result<unknown> | Result<unknown>['errors']
}

const FEED = 'subscription { taskFeed { cursor } }'
const PAID = 'generateImage(input: { prompt: "x" }) { task { id } }'
const subscribe = (query: unknown, id: unknown = '1') => ({ id, type: 'subscribe', payload: { query } })
const INIT = { type: 'connection_init' }

/** Opens a socket and sends messages as JSON, or as they are if they are bytes or a text. */
async function open(
  url: string,
  sent: unknown[] = [],
  protocol: string | undefined = 'graphql-transport-ws',
) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol === '' ? [] : protocol)
  const messages: Message[] = []
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(socket, 'open')
  const send = (message: unknown) =>
    socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  for (const message of sent) send(message)
  return { socket, messages, closed, send }
}

describe('a socket', () => {
  let paid: PaidServer
  beforeAll(async () => {
    paid = await openPaidServer()
  })
  afterAll(() => paid[Symbol.asyncDispose]())

  it.each([
    { row: 'B83', wrong: 'requests no subprotocol', protocol: '', sends: [INIT], code: 4406 },
    { row: 'B84', wrong: 'sends no connection_init', sends: [], code: 4408 },
    { row: 'B85', wrong: 'sends connection_init twice', sends: [INIT, INIT], code: 4429 },
    { row: 'B86', wrong: 'subscribes before connection_ack', sends: [subscribe(FEED)], code: 4401 },
    { row: 'B88', wrong: 'sends invalid JSON', sends: [INIT, 'hello'], code: 4400 },
    { row: 'B88', wrong: 'sends bytes', sends: [INIT, Buffer.from([0, 159, 146, 150])], code: 4400 },
    { row: 'B88', wrong: 'sends a list', sends: [INIT, '[]'], code: 4400 },
    {
      row: 'B88',
      wrong: 'sends a list as payload',
      sends: [INIT, { id: '1', type: 'subscribe', payload: [] }],
      code: 4400,
    },
    { row: 'B88', wrong: 'sends a number as query', sends: [INIT, subscribe(1)], code: 4400 },
    { row: 'B88', wrong: 'sends a number as id', sends: [INIT, subscribe(FEED, 1)], code: 4400 },
    {
      row: 'B88',
      wrong: 'sends an unknown message type',
      sends: [INIT, { type: 'start', id: '1' }],
      code: 4400,
    },
    {
      row: 'B89',
      wrong: 'uses an id twice',
      sends: [INIT, subscribe(FEED), subscribe(FEED)],
      code: 4409,
      greeted: true,
    },
    {
      row: 'B93',
      wrong: 'sends a message of 300 KB',
      sends: [INIT, subscribe(`#${'x'.repeat(300_000)}`)],
      code: 1009,
    },
  ])('that $wrong is closed with $code', async ({ sends, protocol, code, greeted }) => {
    const { closed, send, socket } = await open(
      paid.server.url,
      greeted ? sends.slice(0, 1) : sends,
      protocol,
    )
    if (greeted) {
      await once(socket, 'message')
      for (const message of sends.slice(1)) send(message)
    }
    const { reason, ...rest } = await closed
    expect(rest).toEqual({ code })
    expect(reason.length).toBeLessThan(124)
    await expectNothingLeft(paid)
    expect(paid.server.gateway.subscriberCount()).toBe(0)
  })

  it.each([
    { row: 'B91', wrong: 'a syntax error', query: '{ tasks {', code: 'GRAPHQL_PARSE_FAILED' },
    {
      row: 'B92',
      wrong: 'fields 2000 deep',
      query: `{tasks${'{nodes'.repeat(2000)}{id}${'}'.repeat(2000)}}`,
      code: 'QUERY_TOO_LARGE',
    },
    {
      row: 'B92',
      wrong: 'fields 11 deep',
      query: `{ node(id: "x") { ... on Task ${'{ retryOf '.repeat(9)}{ id }${' }'.repeat(9)} } }`,
      code: 'QUERY_TOO_LARGE',
    },
    {
      row: 'B92',
      wrong: 'a document of 20001 characters',
      query: `#${'x'.repeat(20_000)}`,
      code: 'QUERY_TOO_LARGE',
    },
    {
      row: 'B94',
      wrong: 'a mutation without a prompt',
      query: 'mutation { generateImage(input: { prompt: "" }) { task { id } } }',
      code: 'BAD_USER_INPUT',
    },
    {
      row: 'B94',
      wrong: 'the image bytes of a hundred tasks',
      query: '{ tasks(first: 100) { nodes { images { b64Json } } } }',
      code: 'QUERY_TOO_LARGE',
    },
    {
      row: 'B94',
      wrong: '16 aliases',
      query: `{ ${Array.from({ length: 16 }, (_, i) => `a${i}: __typename`).join(' ')} }`,
      code: 'TOO_MANY_ALIASES',
    },
    {
      row: 'B99',
      wrong: 'two paid fields',
      query: `mutation { a: ${PAID} b: ${PAID} }`,
      code: 'TOO_MANY_ROOT_FIELDS',
    },
    {
      row: 'B100',
      wrong: 'an unknown task',
      query: 'subscription { taskEvents(taskId: "task_01K00000000000000000000000") { cursor } }',
      code: 'NOT_FOUND',
    },
  ])('that requests $wrong gets $code and stays open', async ({ query, code }) => {
    const { socket, messages, send } = await open(paid.server.url, [INIT])
    await expect.poll(() => messages).toEqual([{ type: 'connection_ack' }])
    send(subscribe(query))
    await expect.poll(() => codesFor(messages, '1')).toEqual([code])
    send(subscribe('{ __typename }', '2'))
    await expect.poll(() => messages.filter(({ id }) => id === '2')).toHaveLength(2)
    expect(unknownCodes(JSON.stringify(messages))).toEqual([])
    expect(JSON.stringify(messages)).not.toContain('"http"')
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.terminate()
    await expectNothingLeft(paid)
  })

  it('may have 50 subscriptions; only the 51st is refused with TOO_MANY_SUBSCRIPTIONS', async () => {
    const { socket, messages, send } = await open(paid.server.url, [INIT])
    await expect.poll(() => messages).toHaveLength(1)
    for (let i = 1; i <= 51; i++) send(subscribe(FEED, String(i)))
    await expect
      .poll(() => messages.slice(1))
      .toMatchObject([
        { id: '51', type: 'error', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] },
      ])
    expect(paid.server.gateway.subscriberCount()).toBe(50)
    send({ id: '7', type: 'complete' })
    await expect.poll(() => paid.server.gateway.subscriberCount()).toBe(49)
    send(subscribe(FEED, '52'))
    await expect.poll(() => paid.server.gateway.subscriberCount()).toBe(50)
    expect(messages).toHaveLength(2)
    socket.terminate()
    await expect.poll(() => paid.server.gateway.subscriberCount()).toBe(0)
  })

  it.each([
    {
      row: 'B98',
      what: 'a thousand pings',
      flood: (socket: WebSocket) => socket.ping(),
    },
    {
      row: 'B98',
      what: 'a thousand messages',
      flood: (socket: WebSocket) => socket.send('{"type":"ping"}'),
    },
  ])('that sends $what per second is closed with 1008', async ({ flood }) => {
    const { socket, closed } = await open(paid.server.url, [INIT])
    // A few at a time: many pings in one packet end the connection earlier.
    for (let i = 0; i < 1000 && socket.readyState === WebSocket.OPEN; i++) {
      flood(socket)
      if (i % 10 === 9) await Promise.race([once(socket, 'pong'), once(socket, 'message'), closed])
    }
    expect((await closed).code).toBe(1008)
  })

  it.each([
    {
      row: 'B95',
      from: 'a page of another site',
      headers: 'host: localhost\r\norigin: https://evil.example',
      status: 403,
    },
    {
      row: 'B95',
      from: 'a page that uses DNS rebinding',
      headers: 'host: evil.example\r\norigin: http://evil.example',
      status: 403,
    },
    { row: 'B95', from: 'an invalid Host header', headers: 'host: a[b', status: 400 },
  ])('is refused before the upgrade to $from, with $status', async ({ headers, status }) => {
    const socket = connect(Number(new URL(paid.server.url).port), '127.0.0.1')
    const upgrade =
      'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=='
    socket.write(`GET /graphql HTTP/1.1\r\n${headers}\r\n${upgrade}\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    socket.destroy()
  })
})

/** No operation gets this far. */
function context(): never {
  throw new Error('No operation is expected.')
}

it('a socket that does not answer a ping is closed at the next one', async () => {
  const log = createLog('silent')
  const readClient = createClientReader([])
  const keyring = {
    authenticate: async () => operatorOf('prj_A'),
    watch: () => () => {},
    isOpenCached: () => false,
  }
  const instruments = { metrics: createMetrics(), tracing: noTracing }
  const persistedQueries = createPersistedQueries('off')
  const graphql = createGraphQL({
    context,
    corsOrigins: [],
    introspection: true,
    bodies: { read: context, receiveUpload: context },
    log,
    keyring,
    persistedQueries,
    ...instruments,
  })
  const base = { corsOrigins: [], readClient, persistedQueries, publicUrl: null, keyring, adminKey: null }
  const options = { ...base, clock: systemClock, log, keepAliveMs: 200 }
  const sockets = createSockets(graphql, options)
  const server = await listen(async () => new Response(), sockets, { host: '127.0.0.1', port: 0 })
  try {
    const silent = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      autoPong: false,
    })
    const responsive = await open(server.url, [INIT])
    const [code] = await once(silent, 'close')
    expect(code).toBe(1006)
    expect(responsive.socket.readyState).toBe(WebSocket.OPEN)
    responsive.socket.terminate()
  } finally {
    await server.close()
  }
})

function codesFor(messages: Message[], id: string): unknown[] {
  return messages
    .filter((message) => message.id === id)
    .flatMap(({ payload }) => (Array.isArray(payload) ? payload : payload?.errors) ?? [])
    .map(({ extensions }) => extensions?.['code'])
}
