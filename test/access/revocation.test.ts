// Connections of a key that is revoked or expires close within 5 seconds, at every process.
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import {
  ADMIN_KEY,
  bearer,
  createFirstKey,
  openGatewayWithKeys,
  type GatewayWithKeys,
} from './gateway-with-keys.ts'

/** The guaranteed 5 s, and 2 s for a busy machine. */
const WITHIN = { timeout: 7_000 }
const FEED = 'subscription { taskFeed { __typename task { id } } }'

const revoke = (keyed: GatewayWithKeys, id: string) =>
  keyed.operator().get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', { id })

/** A socket that sent a key in its connection_init or in the header of the upgrade, and was acknowledged. */
async function connect(url: string, key: string, where: 'params' | 'header' = 'params') {
  const headers = where === 'header' ? bearer(key) : {}
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers })
  const messages: { type: string; payload?: unknown }[] = []
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)])
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())))
  socket.on('error', () => {})
  await once(socket, 'open')
  const send = (message: object) => socket.send(JSON.stringify(message))
  send({ type: 'connection_init', ...(where === 'params' && { payload: bearer(key) }) })
  await once(socket, 'message')
  return { socket, messages, closed, send }
}

/** Opens an event stream; `ended` is its text after it ended. */
async function openStream(url: string, key: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(key) },
    body: JSON.stringify({ query: FEED }),
  })
  return { response, ended: response.text() }
}

describe.each(DATABASES)('revoking a key on %s', (database) => {
  it.each(['params', 'header'] as const)(
    'closes sockets that sent it in the %s with 4403',
    async (where) => {
      await using keyed = await openGatewayWithKeys({ database })
      const [revoked, valid] = [await keyed.newKey(), await keyed.newKey()]
      const cut = await connect(keyed.url, revoked.key, where)
      const other = await connect(keyed.url, valid.key, where)
      for (const { send } of [cut, other]) send({ id: 'feed', type: 'subscribe', payload: { query: FEED } })
      await expect.poll(() => keyed.server.gateway.subscriberCount()).toBe(2)
      await revoke(keyed, revoked.id)
      expect(await cut.closed).toEqual([4403, 'The API key is no longer valid.'])
      await expect.poll(() => keyed.server.gateway.subscriberCount(), WITHIN).toBe(1)
      expect(other.socket.readyState).toBe(WebSocket.OPEN)
      other.socket.terminate()
    },
    15_000,
  )

  it('ends its event streams with an error', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const { key, id } = await keyed.newKey()
    const { response, ended } = await openStream(keyed.url, key)
    expect(response.status).toBe(200)
    await expect.poll(() => keyed.server.gateway.subscriberCount()).toBe(1)
    await revoke(keyed, id)
    const text = await ended
    expect(text).toContain('"code":"UNAUTHENTICATED"')
    expect(text).toMatch(/event: complete\ndata:\s*$/)
    expect(keyed.server.gateway.subscriberCount()).toBe(0)
  }, 15_000)
})

it('revoking a key closes its connections at every process that shares the database', async () => {
  const place = await newPlace('postgresql')
  const keyed = await openGatewayWithKeys({ place })
  const other: TestGateway = await openGateway({ place, settings: { adminKey: ADMIN_KEY } })
  try {
    const { key, id } = await keyed.newKey()
    const socket = await connect(other.url, key)
    const { ended } = await openStream(other.url, key)
    socket.send({ id: 'feed', type: 'subscribe', payload: { query: FEED } })
    await expect.poll(() => other.gateway.subscriberCount(), WITHIN).toBe(2)
    await revoke(keyed, id)
    expect((await socket.closed)[0]).toBe(4403)
    expect(await ended).toContain('UNAUTHENTICATED')
    const response = await fetch(`${other.url}/graphql?query={__typename}`, { headers: bearer(key) })
    expect(response.status).toBe(401)
  } finally {
    await other[Symbol.asyncDispose]()
    await keyed[Symbol.asyncDispose]()
    await place.remove()
  }
}, 20_000)

it('an expired key closes its connections like a revoked one', async () => {
  await using keyed = await openGatewayWithKeys()
  const { key } = await keyed.newKey({ expiresAt: new Date(Date.now() + 1_500).toISOString() })
  const { ended } = await openStream(keyed.url, key)
  const socket = await connect(keyed.url, key)
  expect((await socket.closed)[0]).toBe(4403)
  expect(await ended).toContain('UNAUTHENTICATED')
}, 15_000)

it('connections without a key are closed when the first key is created', async () => {
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  await using server = await openGateway({ place })
  const watching = server.watch('SSE', FEED)
  const first = watching.next()
  await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  socket.send('{"type":"connection_init"}')
  await once(socket, 'message')
  const closed = once(socket, 'close')
  await createFirstKey(place)
  expect((await closed)[0]).toBe(4403)
  expect((await first).value).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
}, 15_000)

it('messages of a socket are ignored after its key is revoked, even if it does not close', async () => {
  await using keyed = await openGatewayWithKeys()
  const { key, id } = await keyed.newKey()
  const { socket, messages, send } = await connect(keyed.url, key)
  // It never answers the close frame of the server.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library's private field
  const { _receiver: receiver } = socket as unknown as { _receiver: NodeJS.EventEmitter }
  receiver.removeAllListeners('conclude')
  const concluded = once(receiver, 'conclude')
  await revoke(keyed, id)
  await concluded
  send({ id: 'late', type: 'subscribe', payload: { query: '{ project { id } }' } })
  await once(socket, 'close')
  expect(messages).toEqual([{ type: 'connection_ack' }])
}, 15_000)

describe('B87: a WebSocket', () => {
  it.each([
    ['without a key', {}],
    ['with a garbled key', { authorization: 'Bearer garbled' }],
    ['with another scheme', { authorization: 'Basic YTpi' }],
    ['with a value that is not a string', { authorization: ['Bearer'] }],
    ['with an unknown project', { ...bearer(ADMIN_KEY), project: 'prj_NONE' }],
  ])('%s is closed with 4403 without any message', async (_, payload) => {
    await using keyed = await openGatewayWithKeys()
    const socket = new WebSocket(`${keyed.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    const messages: unknown[] = []
    socket.on('message', (data) => messages.push(data))
    socket.send(JSON.stringify({ type: 'connection_init', payload }))
    const [code] = await once(socket, 'close')
    expect([code, messages]).toEqual([4403, []])
  })

  it('B73: with a key in its URL is refused before the upgrade', async () => {
    await using keyed = await openGatewayWithKeys()
    const { key } = await keyed.newKey()
    const socket = new WebSocket(
      `${keyed.url.replace('http', 'ws')}/graphql?key=${key}`,
      'graphql-transport-ws',
    )
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('400')
  })

  it('uses the project that an operator names', async () => {
    await using keyed = await openGatewayWithKeys()
    const project = await keyed.newProject('shop')
    const { messages, send, socket } = await connect(keyed.url, ADMIN_KEY)
    send({ id: '1', type: 'subscribe', payload: { query: '{ project { name } }' } })
    await expect.poll(() => JSON.stringify(messages)).toContain('"name":"default"')
    socket.terminate()
    const watching = keyed.operator(project).watch<{ project: unknown }>('WebSocket', '{ project { name } }')
    expect((await watching.next()).value?.data?.project).toEqual({ name: 'shop' })
  })
})

it('B100: a task of another project cannot be watched over a WebSocket', async () => {
  await using keyed = await openGatewayWithKeys()
  const { key } = await keyed.newKey({ project: await keyed.newProject('shop') })
  const id = await keyed.operator().generate({ prompt: 'a red fox' })
  const { messages, send, socket } = await connect(keyed.url, key)
  send({
    id: '1',
    type: 'subscribe',
    payload: { query: `subscription { taskEvents(taskId: "${id}") { cursor } }` },
  })
  await expect.poll(() => JSON.stringify(messages)).toContain('NOT_FOUND')
  socket.terminate()
})
