// The typical program of an application, through everything that happens to connections.
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createClient, type TaskEvent } from '../../client/index.ts'
import { TRANSPORTS } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { killConnections } from './kills.ts'

/** `npm run client-kills` does 1,000. */
const KILLS = 60

describe.each(TRANSPORTS)('a program over %s', (transport) => {
  it('receives every event once through random socket kills and two restarts', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    const result = await killConnections({ place, kills: KILLS / 2, seed, transport })
    const { kills, restarts, events, discrepancies } = result
    expect(discrepancies, `seed ${seed}`).toEqual([])
    expect(kills).toBeGreaterThanOrEqual(KILLS / 2)
    expect(restarts).toBe(2)
    expect(events).toBeGreaterThan(100)
  })

  it('receives every event once although a proxy stalls', async () => {
    const server = await gateway()
    const proxy = await startTcpProxy(server.url)
    const darkroom = createClient({
      url: proxy.url,
      transport: transport === 'SSE' ? 'sse' : 'websocket',
      silenceMs: 500,
    })
    const task = await darkroom.generate({ prompt: 'fog [sandbox:duration=1500]', partialImages: 3 })
    const received: TaskEvent[] = []
    for await (const event of task) {
      received.push(event)
      if (event.type !== 'PartialImageReceived' || event.partialImage?.index !== 0) continue
      proxy.swallow()
      // Later connections pass.
      proxy.heal()
    }
    await proxy.close()
    const { task: log } = await server.get<{ task: { events: { nodes: { cursor: string }[] } } }>(
      'query ($id: ID!, $after: String) { task(id: $id) { events(after: $after) { nodes { cursor } } } }',
      { id: task.id, after: received[0]!.cursor },
    )
    expect(received.slice(1).map(({ cursor }) => cursor)).toEqual(
      log.events.nodes.map(({ cursor }) => cursor),
    )
    expect(received.filter(({ type }) => type === 'TaskSnapshot')).toHaveLength(1)
    expect(received.at(-1)?.type).toBe('TaskFinished')
  })
})

let opened: Promise<TestGateway> | undefined

function gateway(): Promise<TestGateway> {
  return (opened ??= openGateway())
}

afterAll(async () => {
  await (await opened)?.[Symbol.asyncDispose]()
})
