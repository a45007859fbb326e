import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { TRANSPORTS, type Transport } from '../support/client.ts'
import { openGateway } from '../support/gateway.ts'

/** 28 KB per event, so that the socket buffers of the kernel hold only a few hundred. */
const PROMPTS = Array.from({ length: 14 }, (_, i) => `p${i}: prompt`).join(' ')
const query = `subscription { taskFeed { kind: __typename cursor task { id ${PROMPTS} } } }`
const LONG = 'a fox '.repeat(330)
const TASKS = 100

interface Reader {
  pause(): void
  resume(): void
  /** Cursors with the kind of event, in order. */
  seen: { kind: string; cursor: string }[]
  close(): void
}

const pattern = /"taskFeed":\{"kind":"(\w+)","cursor":"([^"]+)"/g
const readInto = (seen: Reader['seen'], text: string) => {
  for (const [, kind, cursor] of text.matchAll(pattern)) seen.push({ kind: kind!, cursor: cursor! })
}

const open: Record<Transport, (url: string) => Promise<Reader>> = {
  async WebSocket(url) {
    const seen: Reader['seen'] = []
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.on('message', (message: Buffer) => readInto(seen, message.toString()))
    socket.send(JSON.stringify({ id: 'a "quoted" id', type: 'subscribe', payload: { query } }))
    return {
      seen,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      close: () => socket.terminate(),
    }
  },
  async SSE(url) {
    const seen: Reader['seen'] = []
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    const sent = request(`${url}/graphql`, { method: 'POST', headers }).end(JSON.stringify({ query }))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const complete = (text + chunk).split('\n\n')
      text = complete.pop()!
      for (const event of complete) readInto(seen, event)
    })
    const { socket } = response
    return { seen, pause: () => socket.pause(), resume: () => socket.resume(), close: () => sent.destroy() }
  },
}

it.each(TRANSPORTS)(
  'a viewer over %s that stops reading for a while receives every event',
  async (transport) => {
    await using server = await openGateway()
    await server.generate({ prompt: `[sandbox:stall] ${LONG}` })
    const reader = await open[transport](server.url)
    await expect.poll(() => reader.seen.length).toBeGreaterThan(0)
    reader.pause()
    const { tasks } = await server.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
    const ids: string[] = []
    for (let i = 0; i < TASKS; i += 10) {
      const prompt = `[sandbox:reject] ${LONG}`
      ids.push(...(await Promise.all(Array.from({ length: 10 }, () => server.generate({ prompt })))))
    }
    await Promise.all(ids.map((id) => server.ended(id)))
    const received = reader.seen.length
    reader.resume()

    // A viewer that reads all the time, from the same cursor.
    const expected: string[] = []
    let ended = 0
    const document = 'subscription ($after: String) { taskFeed(after: $after) { kind: __typename cursor } }'
    for await (const { data } of server.watch<{ taskFeed: { kind: string; cursor: string } }>(
      'SSE',
      document,
      {
        after: tasks.feedCursor,
      },
    )) {
      expected.push(data!.taskFeed.cursor)
      if (data!.taskFeed.kind === 'TaskFinished' && ++ended === TASKS) break
    }
    await expect.poll(() => reader.seen.at(-1)?.cursor, { timeout: 20_000 }).toBe(expected.at(-1))
    expect(received).toBeLessThan(expected.length)
    const cursors = reader.seen.filter(({ kind }) => kind !== 'TaskSnapshot').map(({ cursor }) => cursor)
    expect(cursors.slice(cursors.indexOf(expected[0]!))).toEqual(expected)
    reader.close()
  },
)
