import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Result } from '../support/client.ts'
import { openGateway } from '../support/gateway.ts'

interface Message {
  id?: string
  type: string
  /** A result or errors. */
  payload?: Result<unknown> | Result<unknown>['errors']
}

/** A socket after connection_ack, and its messages since then. */
async function connectSocket(
  url: string,
): Promise<{ socket: WebSocket; messages: Message[]; send: (message: object) => void }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const messages: Message[] = []
  await once(socket, 'open')
  const send = (message: object) => socket.send(JSON.stringify(message))
  send({ type: 'connection_init' })
  await once(socket, 'message')
  socket.on('message', (data: Buffer) => {
    const message: Message = JSON.parse(data.toString())
    messages.push(message)
  })
  return { socket, messages, send }
}

const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'host: darkroom',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n')

const FEED = 'subscription { taskFeed { __typename task { id } } }'

describe('a WebSocket', () => {
  it.each([
    { wrong: 'a syntax error', query: '{ tasks {', code: 'GRAPHQL_PARSE_FAILED' },
    { wrong: 'an unknown field', query: '{ nothing }', code: 'GRAPHQL_VALIDATION_FAILED' },
    {
      wrong: 'an invalid variable',
      query: 'query ($id: ID!) { task(id: $id) { id } }',
      code: 'BAD_USER_INPUT',
    },
    {
      wrong: 'a subscription to an unknown task',
      query: 'subscription { taskEvents(taskId: "x") { cursor } }',
      code: 'NOT_FOUND',
    },
  ])('reports $wrong to its operation and continues the others', async ({ query, code }) => {
    await using server = await openGateway()
    const { socket, messages, send } = await connectSocket(server.url)
    send({ id: 'feed', type: 'subscribe', payload: { query: FEED } })
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    send({ id: 'bad', type: 'subscribe', payload: { query } })
    await expect.poll(() => codesOf(messages)).toEqual([code])

    const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024' })
    await expect.poll(() => JSON.stringify(messages)).toContain(taskId)
    expect(messages.filter(({ id }) => id === 'feed').every(({ type }) => type === 'next')).toBe(true)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.terminate()
  })

  it('executes queries and mutations', async () => {
    await using server = await openGateway()
    const { socket, messages, send } = await connectSocket(server.url)
    const query = 'mutation { generateImage(input: { prompt: "a red fox" }) { task { status } } }'
    send({ id: '1', type: 'subscribe', payload: { query } })
    await expect
      .poll(() => messages)
      .toEqual([
        { id: '1', type: 'next', payload: { data: { generateImage: { task: { status: 'QUEUED' } } } } },
        { id: '1', type: 'complete' },
      ])
    socket.terminate()
  })

  it('is closed with 1001 when the server stops', async () => {
    const server = await openGateway()
    const { socket, send } = await connectSocket(server.url)
    send({ id: 'feed', type: 'subscribe', payload: { query: FEED } })
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    const closed = once(socket, 'close')
    await server[Symbol.asyncDispose]()
    expect((await closed)[0]).toBe(1001)
    expect(server.gateway.subscriberCount()).toBe(0)
  })

  it.each([
    { from: 'a page of another site', path: '/graphql', origin: 'https://evil.example', status: 403 },
    { from: 'a page with an opaque origin', path: '/graphql', origin: 'null', status: 403 },
    { from: 'another path', path: '/elsewhere', origin: undefined, status: 404 },
    { from: 'an invalid path', path: '//', origin: undefined, status: 404 },
  ])('is refused to $from', async ({ path, origin, status }) => {
    await using server = await openGateway()
    expect(await upgradeStatus(server.url + path, origin)).toBe(status)
    expect((await server.execute('{ __typename }')).data).toEqual({ __typename: 'Query' })
  })

  it('survives clients that disconnect before they are refused', async () => {
    await using server = await openGateway()
    for (let i = 0; i < 50; i++) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      socket.on('error', () => {})
      socket.write(UPGRADE.replace('/graphql', '/elsewhere'))
      await once(socket, 'ready')
      socket.resetAndDestroy()
    }
    expect((await server.execute('{ __typename }')).data).toEqual({ __typename: 'Query' })
  })

  it('ignores offers of other upgrades', async () => {
    await using server = await openGateway()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it.each([
    { from: 'a page of the same origin', origin: (url: string) => url },
    { from: 'a page of a configured origin', origin: () => 'https://app.example' },
    { from: 'a program without an Origin header', origin: () => undefined },
  ])('is open to $from', async ({ origin }) => {
    await using server = await openGateway({ corsOrigins: ['https://app.example'] })
    expect(await upgradeStatus(`${server.url}/graphql`, origin(server.url))).toBe(101)
  })
})

function codesOf(messages: Message[]): unknown[] {
  return messages
    .filter(({ id }) => id === 'bad')
    .flatMap(({ payload }) => {
      const errors = (Array.isArray(payload) ? payload : payload?.errors) ?? []
      return errors.map(({ extensions }) => extensions?.['code'])
    })
}

async function upgradeStatus(url: string, origin: string | undefined): Promise<number | undefined> {
  const socket = new WebSocket(
    url.replace('http', 'ws'),
    'graphql-transport-ws',
    origin === undefined ? {} : { origin },
  )
  socket.on('error', () => {})
  try {
    return await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('open', () => resolve(101))
    })
  } finally {
    socket.terminate()
  }
}
