// Subscribers that stop reading and keep the connection: a phone without signal, a debugger at a breakpoint, an attacker.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { TRANSPORTS, type Transport } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'

const FEED = 'subscription { taskFeed { kind: __typename task { id prompt } } }'
/** With long events: 2,000 are 56 MB, of which the socket buffers hold ten. */
const PROMPTS = Array.from({ length: 14 }, (_, i) => `p${i}: prompt`).join(' ')
const LONG_EVENTS = `subscription { taskFeed { kind: __typename task { id ${PROMPTS} } } }`
const LONG = 'a fox '.repeat(330)

interface FeedResult {
  taskFeed: { kind: string; task: { id: string } }
}

interface StoppedReader {
  /** Resolves when the server closes the connection. */
  gone: Promise<unknown>
  close(): void
}

/** Subscribes, and stops reading after the first event. */
const openStopped: Record<Transport, (url: string) => Promise<StoppedReader>> = {
  async WebSocket(url) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    socket.on('error', () => undefined)
    const gone = once(socket, 'close')
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: LONG_EVENTS } }))
    const [first] = (await once(socket, 'message')) as [Buffer]
    expect(first.toString()).toContain('"kind":"TaskSnapshot"')
    socket.pause()
    return { gone, close: () => socket.terminate() }
  },

  async SSE(url) {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    const gone = once(socket, 'close')
    const body = JSON.stringify({ query: LONG_EVENTS })
    const head = [
      'POST /graphql HTTP/1.1',
      `host: ${hostname}:${port}`,
      'accept: text/event-stream',
      'content-type: application/json',
      `content-length: ${body.length}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    for (let text = ''; !text.includes('"kind":"TaskSnapshot"');) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      text += chunk.toString()
    }
    socket.pause()
    return { gone, close: () => socket.destroy() }
  },
}

/** After garbage collections, until they free no more. */
async function residentBytes(server: GatewayProcess): Promise<number> {
  const read = () =>
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(server.pid)], { encoding: 'utf8' })) * 1024
  let [bytes, last] = [Infinity, Infinity]
  await expect
    .poll(
      () => {
        server.signal('SIGUSR2')
        last = bytes
        bytes = read()
        return Math.abs(last - bytes)
      },
      { interval: 300 },
    )
    .toBeLessThan(1e6)
  return bytes
}

describe('subscribers that stop reading', () => {
  it('do not grow the memory during 2,000 events and do not delay others', async () => {
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    await using server = await startGateway(place)
    // For the first snapshot.
    await server.generate({ prompt: `[sandbox:stall] ${LONG}` })
    const createTasks = async (count: number) => {
      for (let i = 0; i < count; i += 10) {
        const ten = Array.from({ length: 10 }, () => server.generate({ prompt: `[sandbox:reject] ${LONG}` }))
        await Promise.all(ten)
      }
    }
    /** Watches the creation of that many tasks, and returns all results. */
    const watchWhile = async (tasks: number) => {
      let ended = 0
      const results: FeedResult[] = []
      for await (const { data } of server.watch<FeedResult>('WebSocket', FEED)) {
        if (results.push(data!) === 1) void createTasks(tasks)
        if (data?.taskFeed.kind === 'TaskFinished' && ++ended === tasks) break
      }
      return results
    }
    const idle: StoppedReader[] = []
    for (const transport of TRANSPORTS)
      for (let i = 0; i < 10; i++) idle.push(await openStopped[transport](server.url))
    // Until caches are filled: without subscribers that stop, the memory grows as well, by 50 MB during the next 2,000 tasks.
    await watchWhile(750)
    const before = await residentBytes(server)

    const results = await watchWhile(500)
    expect(results.length).toBeGreaterThanOrEqual(2000)
    expect((await residentBytes(server)) - before).toBeLessThan(50e6)
    for (const one of idle) one.close()
  })

  it.each(TRANSPORTS)('are disconnected over %s', async (transport) => {
    await using server = await openGateway({ slowClientTimeoutMs: 1000 })
    const ids = [await server.generate({ prompt: `[sandbox:stall] ${LONG}` })]
    const one = await openStopped[transport](server.url)
    expect(server.gateway.subscriberCount()).toBe(1)
    // More than the socket buffers of the kernel hold.
    for (let i = 0; i < 120; i++) ids.push(await server.generate({ prompt: `[sandbox:reject] ${LONG}` }))
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    one.close()
    await one.gone
  })
})
