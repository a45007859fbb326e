// Servers and proxies that misbehave, and keys that end.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  AccessError,
  ConnectionError,
  createClient,
  type Darkroom,
  type TaskEvent,
} from '../../client/index.ts'
import { createParser } from '../../client/event-stream.ts'
import { createQueue } from '../../client/queue.ts'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let server: TestGateway
let keyed: GatewayWithKeys

beforeAll(async () => {
  ;[server, keyed] = await Promise.all([openGateway(), openGatewayWithKeys()])
})
afterAll(async () => {
  await Promise.all([server?.[Symbol.asyncDispose](), keyed?.[Symbol.asyncDispose]()])
})

/** A server in front of the real one. `listener` returns false to pass a request on. */
async function inFront(
  listener: (path: string, body: string) => Response | false | 'reset',
): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const own = listener(request.url ?? '', body)
    if (own === 'reset') {
      request.socket.destroy()
      return
    }
    const { accept, 'content-type': type } = request.headers
    const headers = { accept: accept ?? '*/*', 'content-type': type ?? 'application/json' }
    const reply = own || (await fetch(`${server.url}/graphql`, { method: 'POST', headers, body }))
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? 'text/plain' })
    if (reply.body) for await (const chunk of reply.body) response.write(chunk)
    response.end()
  }
  const proxy = createServer((request, response) => void answer(request, response))
  onTestFinished(() => {
    proxy.close()
  })
  onTestFinished(() => proxy.closeAllConnections())
  return listen(proxy)
}

const HTML = () =>
  new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } })
const quick = (url: string) => createClient({ url, giveUpAfterMs: 300, timeoutMs: 1000, silenceMs: 1000 })

const blocked = () => Promise.reject(new TypeError('Failed to fetch'))

describe('a request', () => {
  it.each([
    ['https://shop.example', / add https:\/\/shop\.example to its CORS_ORIGINS\.$/],
    ['https://images.example', /^There is no response from https:\/\/images\.example\.$/],
  ])(
    'from a page of %s that the browser blocks names the remedy if the origin differs',
    async (page, message) => {
      vi.stubGlobal('location', new URL(page))
      onTestFinished(() => void vi.unstubAllGlobals())
      const darkroom = createClient({ url: 'https://images.example', fetch: blocked, giveUpAfterMs: 100 })
      await expect(darkroom.task('task_1')).rejects.toThrow(message)
    },
  )

  it('that was executed and lost its response makes one task', async () => {
    const keys: string[] = []
    const url = await inFront((_, body) => {
      if (!body.includes('GenerateImage(')) return false
      keys.push(JSON.parse(body).variables.input.idempotencyKey)
      if (keys.length > 1) return false
      // It arrives, and the client does not hear of it.
      void fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return 'reset'
    })
    const user = 'of the lost response'
    const task = await quick(url).generate({ prompt: 'a ferry', user })
    expect(keys.length).toBeGreaterThan(1)
    expect(new Set(keys).size).toBe(1)
    const { tasks } = await server.get<{ tasks: { nodes: { id: string }[] } }>(
      'query ($user: String!) { tasks(filter: { users: [$user] }) { nodes { id } } }',
      { user },
    )
    expect(tasks.nodes).toEqual([{ id: task.id }])
  })

  it('that cannot be repeated is sent once, and may have been executed', async () => {
    let sent = 0
    const url = await inFront(() => (sent++, 'reset'))
    await expect(quick(url).retry({ id: 'task_1' })).rejects.toMatchObject({
      name: 'ConnectionError',
      charged: 'UNKNOWN',
    })
    expect(sent).toBe(1)
    const proxied = await inFront(() => (sent++, HTML()))
    await expect(quick(proxied).retry({ id: 'task_1' })).rejects.toMatchObject({ charged: 'UNKNOWN' })
    expect(sent).toBe(2)
  })

  it('is repeated while a proxy answers with error pages, and fails with the last one', async () => {
    let pages = 0
    const url = await inFront(() => pages++ < 2 && HTML())
    expect((await quick(url).generate({ prompt: 'a ferry' })).id).toMatch(/^task_/)
    const down = await inFront(HTML)
    await expect(quick(down).generate({ prompt: 'a ferry' })).rejects.toMatchObject({
      name: 'ConnectionError',
      charged: 'UNKNOWN',
      message: 'The response is not from Darkroom: status 502, text/html.',
    })
  })

  it.each([
    ['garbage', 200, 'BAD_RESPONSE', 'UNKNOWN'],
    ['{"data":', 200, 'BAD_RESPONSE', 'UNKNOWN'],
    ['[]', 200, 'BAD_RESPONSE', 'UNKNOWN'],
    ['too large', 413, 'REQUEST_TOO_LARGE', 'NO'],
    ['log in', 401, 'UNAUTHENTICATED', 'NO'],
    ['slow down', 429, 'RATE_LIMITED', 'NO'],
  ])('answered with %s and status %d fails at once', async (body, status, code, charged) => {
    const url = await inFront(() => new Response(body, { status }))
    await expect(quick(url).generate({ prompt: 'a ferry' })).rejects.toMatchObject({ code, charged })
  })

  it('without a server fails after the waits that were allowed', async () => {
    await expect(quick('http://127.0.0.1:1').task('task_1')).rejects.toThrow(ConnectionError)
  })
})

describe('a watched task', () => {
  it('ends with the error of a key that is refused, or revoked in the middle, over each transport', async () => {
    const { key, id } = await keyed.newKey()
    const watching = (['websocket', 'sse'] as const).map(async (transport) => {
      const darkroom = createClient({ url: keyed.url, key: async () => key, transport })
      const task = await darkroom.generate({ prompt: 'a ferry [sandbox:duration=60000]' })
      return { task, first: await task[Symbol.asyncIterator]().next(), end: read(task) }
    })
    const both = await Promise.all(watching)
    for (const { first } of both) expect(first.value?.type).toBe('TaskSnapshot')
    // The streams may end before the mutation has its answer.
    const ends = Promise.allSettled(both.map(({ end }) => end))
    await keyed
      .operator()
      .get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', { id })
    for (const end of await ends)
      expect(end).toMatchObject({ status: 'rejected', reason: expect.any(AccessError) })
    for (const transport of ['websocket', 'sse'] as const) {
      const stranger = createClient({ url: keyed.url, key: 'dk_live_none', transport })
      await expect(read(stranger.watch(both[0]!.task.id))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    }
    const operator = createClient({ url: keyed.url, key: ADMIN_KEY })
    await operator.cancel(both[0]!.task.id)
    await operator.cancel(both[1]!.task.id)
  })

  it('continues after error pages and garbage in its stream, and fails if there was nothing else', async () => {
    let streams = 0
    const url = await inFront((_, body) => {
      if (!body.includes('WatchTask(') || streams++ % 2 === 0) return false
      if (streams === 2) return HTML()
      return new Response('event: next\ndata: {"data"\n\n', {
        headers: { 'content-type': 'text/event-stream' },
      })
    })
    const darkroom = createClient({ url, transport: 'sse', silenceMs: 1000 })
    const task = await darkroom.generate({ prompt: 'a ferry [sandbox:duration=500]' })
    const types: string[] = []
    for await (const { type } of task) types.push(type)
    expect(types.filter((type) => type === 'TaskSnapshot')).toHaveLength(1)
    expect(types.at(-1)).toBe('TaskFinished')

    const garbage = await inFront(() => new Response('garbage', { status: 200 }))
    await expect(read(quick(garbage).watch(task.id))).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
  })

  it('is delivered over SSE when a WebSocket opens and speaks another protocol, or nothing', async () => {
    for (const greeting of ['{"type":"welcome"}', 'garbage', undefined]) {
      const url = await inFront(() => false)
      const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
      onTestFinished(() => sockets.close())
      await once(sockets, 'listening')
      sockets.on('connection', (socket) => greeting !== undefined && socket.send(greeting))
      const { port } = sockets.address() as { port: number }
      class Elsewhere extends WebSocket {
        constructor() {
          super(`ws://127.0.0.1:${port}`)
        }
      }
      const darkroom = createClient({ url, webSocket: Elsewhere, silenceMs: 500 })
      expect(await read(await darkroom.generate({ prompt: 'a ferry' }))).toBeGreaterThan(3)
      for (const socket of sockets.clients) socket.terminate()
    }
  })

  it('reaches two tabs independently', async () => {
    const tabs: Darkroom[] = [createClient({ url: server.url }), createClient({ url: server.url })]
    const task = await tabs[0]!.generate({ prompt: 'a ferry [sandbox:duration=500]' })
    const [one, two] = await Promise.all(
      tabs.map((tab) => read(tab.watch(task.id, { after: task.state.lastCursor }))),
    )
    expect(one).toBe(two)
  })

  it('holds a bounded number of events for a slow reader, who then resumes after the last one', async () => {
    const queue = createQueue<number>()
    for (let i = 0; i < 2000; i++) queue.push(i)
    const items: number[] = []
    const reading = async () => {
      for await (const item of queue.items()) items.push(item)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect(items).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })
})

describe('the reader of server-sent events', () => {
  const STREAM =
    ':\n\nevent: next\ndata: {"a":1}\n\nevent: next\r\ndata: 1\r\ndata: 2\r\n\r\ndata:\n\nevent: complete\ndata:\n\n'
  const EVENTS = [
    { event: 'next', data: '{"a":1}' },
    { event: 'next', data: '1\n2' },
    { event: 'message', data: '' },
    { event: 'complete', data: '' },
  ]

  it.each([1, 2, 3, 7, 1000])('reads pieces of %d characters', (size) => {
    const parse = createParser()
    const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, 'g'))!
    expect(pieces.flatMap((piece) => parse(piece))).toEqual(EVENTS)
  })
})

async function read(events: AsyncIterable<TaskEvent>): Promise<number> {
  let count = 0
  for await (const _ of events) count++
  return count
}
