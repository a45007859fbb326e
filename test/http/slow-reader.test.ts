// Viewers that stop reading and keep the line open: a phone in a tunnel, a debugger at a breakpoint, an attacker.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { TRANSPORTS, type Transport } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { startGateway } from '../support/gateway-process.ts'

const FEED = 'subscription { taskFeed { kind: __typename task { id prompt } } }'
/** The same at fourteen times the length: 2,000 events are 56 MB, of which the kernel takes in ten. */
const PROMPTS = Array.from({ length: 14 }, (_, i) => `p${i}: prompt`).join(' ')
const WORDY = `subscription { taskFeed { kind: __typename task { id ${PROMPTS} } } }`
const LONG = 'a fox '.repeat(330)

interface Told {
  taskFeed: { kind: string; task: { id: string } }
}

interface Stuck {
  /** Resolves when the server hangs up. */
  gone: Promise<unknown>
  close(): void
}

/** Subscribes, takes in what comes first, and then nothing more. */
const stuck: Record<Transport, (url: string) => Promise<Stuck>> = {
  async WebSocket(url) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    socket.on('error', () => undefined)
    const gone = once(socket, 'close')
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: WORDY } }))
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
    const body = JSON.stringify({ query: WORDY })
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

function residentBytes(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
}

describe('viewers that stop reading', () => {
  it('cost no memory while 2,000 events pass, and delay nobody', async () => {
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    await using server = await startGateway(place)
    // What watching tells first.
    await server.generate({ prompt: `[sandbox:stall] ${LONG}` })
    const ask = async (count: number) => {
      for (let i = 0; i < count; i += 10) {
        const ten = Array.from({ length: 10 }, () => server.generate({ prompt: `[sandbox:reject] ${LONG}` }))
        await Promise.all(ten)
      }
    }
    /** Sees so many tasks asked for, from the first to the end of the last, and answers all it was told. */
    const watchWhile = async (tasks: number) => {
      let ended = 0
      const told: Told[] = []
      for await (const { data } of server.watch<Told>('WebSocket', FEED)) {
        if (told.push(data!) === 1) void ask(tasks)
        if (data?.taskFeed.kind === 'TaskFinished' && ++ended === tasks) break
      }
      return told
    }
    const idle: Stuck[] = []
    for (const transport of TRANSPORTS)
      for (let i = 0; i < 10; i++) idle.push(await stuck[transport](server.url))
    // The memory that it takes in any case.
    await watchWhile(250)
    const before = residentBytes(server.pid)

    const told = await watchWhile(500)
    const grown = residentBytes(server.pid) - before
    for (const one of idle) one.close()
    expect(told.length).toBeGreaterThanOrEqual(2000)
    expect(grown).toBeLessThan(50e6)
  }, 60_000)

  it.each(TRANSPORTS)(
    'are let go, over %s',
    async (transport) => {
      await using server = await openGateway({ slowClientTimeoutMs: 1000 })
      const ids = [await server.generate({ prompt: `[sandbox:stall] ${LONG}` })]
      const one = await stuck[transport](server.url)
      expect(server.gateway.subscriberCount()).toBe(1)
      // More than the kernel keeps for a reader that stands still.
      for (let i = 0; i < 120; i++) ids.push(await server.generate({ prompt: `[sandbox:reject] ${LONG}` }))
      await expect.poll(() => server.gateway.subscriberCount(), { timeout: 15_000 }).toBe(0)
      one.close()
      await one.gone
    },
    30_000,
  )
})
