// Who is connected with a key that ends is cut off within 5 seconds: over every connection, at every process.
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { ADMIN_KEY, bearer, openKeyed, type Keyed } from './keyed.ts'

/** How long may pass, and a little for a machine that is busy with other tests. */
const WITHIN = { timeout: 7_000 }
const FEED = 'subscription { taskFeed { __typename task { id } } }'

const revoke = (keyed: Keyed, id: string) =>
  keyed.operator().get('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id })

/** A socket that was greeted with a key, in its first message or in the header of the upgrade. */
async function greet(url: string, key: string, where: 'params' | 'header' = 'params') {
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

/** An event stream, its text as far as it came, and its end. */
async function stream(url: string, key: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(key) },
    body: JSON.stringify({ query: FEED }),
  })
  return { response, ended: response.text() }
}

describe.each(DATABASES)('on %s, a key that is revoked', (database) => {
  it.each(['params', 'header'] as const)(
    'closes its sockets with 4403, those that said it in the %s',
    async (where) => {
      await using keyed = await openKeyed({ database })
      const [lost, kept] = [await keyed.newKey(), await keyed.newKey()]
      const cut = await greet(keyed.url, lost.key, where)
      const other = await greet(keyed.url, kept.key, where)
      for (const { send } of [cut, other]) send({ id: 'feed', type: 'subscribe', payload: { query: FEED } })
      await expect.poll(() => keyed.server.gateway.subscriberCount()).toBe(2)
      await revoke(keyed, lost.id)
      expect(await cut.closed).toEqual([4403, 'The API key is no longer valid.'])
      await expect.poll(() => keyed.server.gateway.subscriberCount(), WITHIN).toBe(1)
      expect(other.socket.readyState).toBe(WebSocket.OPEN)
      other.socket.terminate()
    },
    15_000,
  )

  it('ends its event streams with an error', async () => {
    await using keyed = await openKeyed({ database })
    const { key, id } = await keyed.newKey()
    const { response, ended } = await stream(keyed.url, key)
    expect(response.status).toBe(200)
    await expect.poll(() => keyed.server.gateway.subscriberCount()).toBe(1)
    await revoke(keyed, id)
    const text = await ended
    expect(text).toContain('"code":"UNAUTHENTICATED"')
    expect(text).toMatch(/event: complete\ndata:\s*$/)
    expect(keyed.server.gateway.subscriberCount()).toBe(0)
  }, 15_000)
})

it('is lost at every process that shares the database', async () => {
  const place = await newPlace('postgresql')
  const keyed = await openKeyed({ place })
  const other: TestGateway = await openGateway({ place, settings: { adminKey: ADMIN_KEY } })
  try {
    const { key, id } = await keyed.newKey()
    const socket = await greet(other.url, key)
    const { ended } = await stream(other.url, key)
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

it('a key that expires is lost as one that is revoked', async () => {
  await using keyed = await openKeyed()
  const { key } = await keyed.newKey({ expiresAt: new Date(Date.now() + 1_500).toISOString() })
  const { ended } = await stream(keyed.url, key)
  const socket = await greet(keyed.url, key)
  expect((await socket.closed)[0]).toBe(4403)
  expect(await ended).toContain('UNAUTHENTICATED')
}, 15_000)

it('connections without a key are closed when the first key is created', async () => {
  await using server = await openGateway()
  const watching = server.watch('SSE', FEED)
  const first = watching.next()
  await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  socket.send('{"type":"connection_init"}')
  await once(socket, 'message')
  const closed = once(socket, 'close')
  await server.get('mutation { createApiKey(input: { name: "first" }) { key } }')
  expect((await closed)[0]).toBe(4403)
  expect((await first).value).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
}, 15_000)

it('a socket whose key ended is not heard any more, even when it does not close', async () => {
  await using keyed = await openKeyed()
  const { key, id } = await keyed.newKey()
  const { socket, messages, send } = await greet(keyed.url, key)
  // It keeps its end open: the close frame of the server is never answered.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- where the library keeps its reader
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
    ['with what is no text', { authorization: ['Bearer'] }],
    ['with a project that is not there', { ...bearer(ADMIN_KEY), project: 'prj_NONE' }],
  ])('%s is closed with 4403 before anything is answered', async (_, payload) => {
    await using keyed = await openKeyed()
    const socket = new WebSocket(`${keyed.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    const messages: unknown[] = []
    socket.on('message', (data) => messages.push(data))
    socket.send(JSON.stringify({ type: 'connection_init', payload }))
    const [code] = await once(socket, 'close')
    expect([code, messages]).toEqual([4403, []])
  })

  it('B73: with a key in its address is refused before it is one', async () => {
    await using keyed = await openKeyed()
    const { key } = await keyed.newKey()
    const socket = new WebSocket(
      `${keyed.url.replace('http', 'ws')}/graphql?key=${key}`,
      'graphql-transport-ws',
    )
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('400')
  })

  it('acts on the project that an operator names', async () => {
    await using keyed = await openKeyed()
    const project = await keyed.newProject('shop')
    const { messages, send, socket } = await greet(keyed.url, ADMIN_KEY)
    send({ id: '1', type: 'subscribe', payload: { query: '{ project { name } }' } })
    await expect.poll(() => JSON.stringify(messages)).toContain('"name":"default"')
    socket.terminate()
    const watching = keyed.operator(project).watch<{ project: unknown }>('WebSocket', '{ project { name } }')
    expect((await watching.next()).value?.data?.project).toEqual({ name: 'shop' })
  })
})

it('B100: a foreign task cannot be watched over a WebSocket', async () => {
  await using keyed = await openKeyed()
  const { key } = await keyed.newKey({ project: await keyed.newProject('shop') })
  const id = await keyed.operator().generate({ prompt: 'a red fox' })
  const { messages, send, socket } = await greet(keyed.url, key)
  send({
    id: '1',
    type: 'subscribe',
    payload: { query: `subscription { taskEvents(taskId: "${id}") { cursor } }` },
  })
  await expect.poll(() => JSON.stringify(messages)).toContain('NOT_FOUND')
  socket.terminate()
})
