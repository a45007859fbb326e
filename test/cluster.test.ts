// Two processes share a PostgreSQL and an asset folder. A client may use either.
import { createServer, type Server, type ServerResponse } from 'node:http'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newPlace, type Place } from './support/database.ts'
import type { Client, Result } from './support/client.ts'
import { startGateway } from './support/gateway-process.ts'

const WATCH = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) {
    type: __typename cursor at
    ... on TaskProgressed { progress }
    ... on PartialImageReceived { partialImage { index } }
    ... on TaskFinished { status }
  }
}`

interface Event {
  type: string
  cursor: string
  at: string
}

const GENERATE =
  'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id lastCursor } } }'

/** A dead process is noticed within three seconds. */
const TUNING = { leaseMs: 2500, heartbeatMs: 400, reapMs: 200 }

let place: Place
beforeEach(async () => {
  place = await newPlace('postgresql')
})
afterEach(() => place.remove())

async function generate(client: Client, input: Record<string, unknown>) {
  interface Created {
    generateImage: { task: { id: string; lastCursor: string } }
  }
  const { generateImage } = await client.get<Created>(GENERATE, { input })
  return generateImage.task
}

/** The events after a cursor to the end of the task, without the snapshot. */
async function eventsAfter(client: Client, taskId: string, after: string): Promise<Event[]> {
  const events: Event[] = []
  for await (const { data, errors } of client.watch<{ taskEvents: Event }>('WebSocket', WATCH, {
    taskId,
    after,
  })) {
    if (errors) throw new Error(JSON.stringify(errors))
    if (data && data.taskEvents.type !== 'TaskSnapshot') events.push(data.taskEvents)
  }
  return events
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

describe('two processes on one PostgreSQL', () => {
  it('send the same events with the same cursors, and resume after cursors of the other', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 400 }]
    await using one = await startGateway(place, { providers })
    await using other = await startGateway(place, { providers })
    const task = await generate(one, { prompt: 'a lighthouse at dusk', size: '1024x1024', partialImages: 3 })
    const [here, there] = await Promise.all([
      eventsAfter(one, task.id, task.lastCursor),
      eventsAfter(other, task.id, task.lastCursor),
    ])

    expect(there).toEqual(here)
    expect(here.at(0)?.type).toBe('AttemptStarted')
    expect(here.filter(({ type }) => type === 'PartialImageReceived')).toHaveLength(3)
    expect(here.at(-1)).toMatchObject({ type: 'TaskFinished', status: 'SUCCEEDED' })

    for (const [i, { cursor }] of here.entries()) {
      const later = await eventsAfter(i % 2 === 0 ? other : one, task.id, cursor)
      expect(later).toEqual(here.slice(i + 1))
    }
  })

  it('let a viewer that was disconnected resume at the other without a gap or a repeat', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 1000 }]
    await using one = await startGateway(place, { providers })
    await using other = await startGateway(place, { providers })
    const task = await generate(one, { prompt: 'a harbour in fog', size: '1024x1024' })
    const seen: Event[] = []
    for await (const { data } of one.watch<{ taskEvents: Event }>('SSE', WATCH, {
      taskId: task.id,
      after: task.lastCursor,
    })) {
      if (data && data.taskEvents.type !== 'TaskSnapshot') seen.push(data.taskEvents)
      if (seen.length === 3) break
    }
    seen.push(...(await eventsAfter(other, task.id, seen.at(-1)!.cursor)))
    expect(seen).toEqual(await eventsAfter(one, task.id, task.lastCursor))
    expect(seen.length).toBeGreaterThan(6)
  })

  it("serve each other's images", async () => {
    await using one = await startGateway(place)
    await using other = await startGateway(place, { providers: [{ name: 'idle', dialect: 'sandbox' }] })
    const id = await one.generate({ prompt: 'a bowl of lemons', model: 'dall-e-2', size: '256x256' })
    expect(await other.ended(id)).toEqual({ status: 'SUCCEEDED' })
    const query = 'query ($id: ID!) { task(id: $id) { images { url sha256 } } }'
    const [here, there] = await Promise.all(
      [one, other].map(async (client) => {
        const { task } = await client.get<{ task: { images: { url: string }[] } }>(query, { id })
        const response = await fetch(task.images[0]!.url)
        expect(response.url.startsWith(client.url)).toBe(true)
        expect(response.status).toBe(200)
        return Buffer.from(await response.arrayBuffer())
      }),
    )
    expect(there!.equals(here!)).toBe(true)
    expect((await sharp(there).metadata()).width).toBe(256)
  })

  it('create one task for an idempotency key that reaches both at once', async () => {
    await using one = await startGateway(place, {
      providers: [{ name: 'sandbox', dialect: 'sandbox', scenario: 'reject' }],
    })
    await using other = await startGateway(place, {
      providers: [{ name: 'sandbox', dialect: 'sandbox', scenario: 'reject' }],
    })
    const keys = Array.from({ length: 10 }, (_, i) => `order-${i}`)
    const results = await Promise.all(
      keys.map((idempotencyKey) =>
        Promise.all(
          [one, other, one, other].map((client) => generate(client, { prompt: 'a key', idempotencyKey })),
        ),
      ),
    )
    for (const same of results) expect(new Set(same.map(({ id }) => id)).size).toBe(1)
    const { tasks } = await one.get<{ tasks: { nodes: { id: string }[] } }>(
      '{ tasks(first: 100) { nodes { id } } }',
    )
    expect(tasks.nodes).toHaveLength(keys.length)
  })

  it('notify each other of events: no viewer waits for a poll', async () => {
    // Polling could show one task a minute. Rejected tasks, because painting is not the subject.
    const engine = { pollMs: 60_000 }
    await using worker = await startGateway(place, {
      providers: [{ name: 'sandbox', dialect: 'sandbox', scenario: 'reject', durationMs: 0 }],
      engine,
    })
    await using viewer = await startGateway(place, {
      providers: [{ name: 'idle', dialect: 'sandbox' }],
      engine,
    })
    const { tasks } = await worker.get<{ tasks: { feedCursor: string } }>(
      '{ tasks(first: 1) { feedCursor } }',
    )
    const feed = viewer.watch<{ taskFeed: { type: string } }>(
      'WebSocket',
      'subscription ($after: String) { taskFeed(after: $after) { type: __typename } }',
      { after: tasks.feedCursor },
    )
    for (let nth = 0; nth < 20; nth++) {
      await worker.generate({ prompt: 'a courier' })
      const types: string[] = []
      while (types.at(-1) !== 'TaskFinished') {
        const { value } = (await feed.next()) as IteratorYieldResult<Result<{ taskFeed: { type: string } }>>
        types.push(value.data!.taskFeed.type)
      }
      expect(types).toHaveLength(4)
    }
    await feed.return?.()
  })
})

describe('a killed process', () => {
  let images: Server
  let imageRequests: ServerResponse[]
  beforeEach(async () => {
    imageRequests = []
    images = createServer((_, response) => void imageRequests.push(response))
    await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    images.closeAllConnections()
    images.close()
  })

  const states = `query ($id: ID!) { task(id: $id) { status charged attempts { state charged } } }`

  it('leaves what it sent with an unknown outcome, and what it had only claimed to the other process', async () => {
    await using doomed = await startGateway(place, { engine: TUNING })
    const sending = await doomed.generate({ prompt: 'a train [sandbox:stall]' })
    // While an input image is downloaded, the attempt is claimed and not yet sent.
    const url = `http://127.0.0.1:${portOf(images)}/input.png`
    const claimed = await doomed.generate({
      prompt: 'a frame around it',
      images: [{ url }],
      size: '1024x1024',
    })
    await expect.poll(() => imageRequests.length).toBe(1)
    await expect
      .poll(() => doomed.get(states, { id: sending }))
      .toMatchObject({ task: { attempts: [{ state: 'SENDING' }] } })

    await using survivor = await startGateway(place, { engine: TUNING })
    const noticed = survivor.ended(sending)
    await doomed.kill()
    expect(await noticed).toEqual({ status: 'OUTCOME_UNKNOWN' })

    await expect.poll(() => imageRequests.length).toBe(2)
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
      .png()
      .toBuffer()
    imageRequests[1]!.writeHead(200, { 'content-type': 'image/png' }).end(png)
    expect(await survivor.ended(claimed)).toEqual({ status: 'SUCCEEDED' })
    expect(await survivor.get(states, { id: claimed })).toEqual({
      task: { status: 'SUCCEEDED', charged: 'YES', attempts: [{ state: 'SUCCEEDED', charged: 'YES' }] },
    })
    // The survivor has looked for work many times by now.
    expect(await survivor.get(states, { id: sending })).toEqual({
      task: {
        status: 'OUTCOME_UNKNOWN',
        charged: 'UNKNOWN',
        attempts: [{ state: 'UNKNOWN', charged: 'UNKNOWN' }],
      },
    })
  })

  it('leaves its queue to the next process', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0, concurrency: 1 }]
    await using doomed = await startGateway(place, { providers, engine: TUNING })
    const sending = await doomed.generate({ prompt: 'a dam [sandbox:stall]' })
    await expect
      .poll(() => doomed.get(states, { id: sending }))
      .toMatchObject({ task: { attempts: [{ state: 'SENDING' }] } })
    const queued = await Promise.all(
      ['a rope', 'a bell', 'a sail'].map((prompt) =>
        doomed.generate({ prompt, model: 'dall-e-2', size: '256x256' }),
      ),
    )
    await doomed.kill()
    await using next = await startGateway(place, { providers, engine: TUNING })
    for (const id of queued) {
      expect(await next.ended(id)).toEqual({ status: 'SUCCEEDED' })
      expect(await next.get(states, { id })).toMatchObject({ task: { attempts: [{ state: 'SUCCEEDED' }] } })
    }
    expect(await next.ended(sending)).toEqual({ status: 'OUTCOME_UNKNOWN' })
  })
})
