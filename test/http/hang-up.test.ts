// Subscribers that disconnect, and subscribers that stop reading.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/clock.ts'
import { openDatabase } from '../../src/db/open.ts'
import { appendEvents } from '../../src/db/tasks/events.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { insertTask } from '../../src/db/tasks/tasks.ts'
import type { TaskEventBody } from '../../src/domain.ts'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { newId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { TRANSPORTS, type Transport } from '../support/client.ts'
import { newPlace, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { plainRequest } from '../support/rows.ts'
import { takeUntil } from './collect.ts'

const WATCH =
  'subscription ($taskId: ID!, $after: String) { taskEvents(taskId: $taskId, after: $after) { kind: __typename cursor } }'
const FEED = 'subscription { taskFeed { kind: __typename cursor } }'

describe.each(TRANSPORTS)('a subscriber over %s', (transport) => {
  it('is released when it unsubscribes from an idle stream', async () => {
    await using server = await openGateway()
    const taskId = await server.generate({ prompt: 'a fox [sandbox:stall]' })
    const after = encodeCursor('task', taskId, 0)
    const watching = server.watch<{ taskEvents: { kind: string } }>(transport, WATCH, { taskId, after })
    await takeUntil(watching, ({ taskEvents }) => taskEvents.kind === 'AttemptStarted')
    await takeUntil(server.watch(transport, FEED), () => true)
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
  })

  it('is released when its connection breaks on an idle stream', async () => {
    await using server = await openGateway()
    const taskId = await server.generate({ prompt: 'a fox [sandbox:stall]' })
    const viewers = await Promise.all([1, 2, 3].map(() => openRaw(transport, server.url, WATCH, { taskId })))
    await expect.poll(() => server.gateway.subscriberCount()).toBe(3)
    for (const viewer of viewers) viewer.cut()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
  })

  it('that stops reading does not grow the memory, and is counted until it disconnects', async () => {
    const place = await newPlace('sqlite')
    // Declared first, so removed last.
    await using _ = { [Symbol.asyncDispose]: () => place.remove() }
    const taskId = await fillLog(place)
    await using server = await openGateway({ place })
    const variables = { taskId, after: encodeCursor('task', taskId, 0) }
    const lastCursor = encodeCursor('task', taskId, EVENTS)
    const before = retainedBytes()
    const idlers = await Promise.all([1, 2].map(() => openRaw(transport, server.url, LARGE, variables)))
    for (const idler of idlers) idler.pause()
    // Another subscriber reads the stream to its end: without backpressure, the server would now buffer it for the idle ones.
    const reader = await openRaw(transport, server.url, LARGE, variables)
    expect(await reader.readUntil(lastCursor)).toBeGreaterThan(100_000_000)
    await expect.poll(() => retainedBytes() - before).toBeLessThan(15_000_000)
    expect(server.gateway.subscriberCount()).toBe(3)

    reader.cut()
    idlers[0]?.cut()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    // A subscriber that resumes reading misses nothing.
    expect(await idlers[1]?.readUntil(lastCursor)).toBeGreaterThan(100_000_000)
    idlers[1]?.cut()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
  })
})

const EVENTS = 6000
const LARGE = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) { cursor task { a: prompt b: prompt c: prompt d: prompt } }
}`

/** A task that never ends, with a long log: each of its 6000 events has 20 KB with LARGE. */
async function fillLog({ databaseUrl, dataDir }: Place): Promise<string> {
  const db = await openDatabase({ databaseUrl, dataDir, onWakeUp() {}, log: createLog('silent') })
  const id = newId('task', systemClock.now())
  await db.tx(async (q) => {
    const request = { ...plainRequest, prompt: 'fox '.repeat(1250) }
    const { operation, model } = request
    const row = {
      id,
      projectId: DEFAULT_PROJECT,
      status: 'RUNNING' as const,
      operation,
      model,
      request,
      fingerprint: 'none',
    }
    const task = await insertTask(q, { ...row, maxCharges: 1, warnings: [], createdAt: systemClock.now() })
    for (let at = 0; at < EVENTS; at += 1000) {
      const bodies: TaskEventBody[] = Array.from({ length: 1000 }, (_, i) => ({
        type: 'TASK_PROGRESSED',
        progress: (at + i) / EVENTS,
      }))
      await appendEvents(q, task!, bodies, systemClock.now())
    }
  })
  await db.close()
  return id
}

interface RawViewer {
  /** Stops reading and keeps the connection. */
  pause(): void
  /** Reads until a text arrives; returns the number of bytes. */
  readUntil(text: string): Promise<number>
  /** Destroys the socket. */
  cut(): void
}

async function openRaw(
  transport: Transport,
  url: string,
  query: string,
  variables: object,
): Promise<RawViewer> {
  return transport === 'SSE' ? openSse(url, query, variables) : openWebSocket(url, query, variables)
}

async function openSse(url: string, query: string, variables: object): Promise<RawViewer> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const body = JSON.stringify({ query, variables })
  const head = [
    'POST /graphql HTTP/1.1',
    'host: darkroom',
    'accept: text/event-stream',
    'content-type: application/json',
  ]
  socket.write(`${[...head, `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`)
  await once(socket, 'readable')
  return rawViewer(
    socket,
    (listener) => socket.on('data', listener),
    () => socket.destroy(),
  )
}

async function openWebSocket(url: string, query: string, variables: object): Promise<RawViewer> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  socket.send('{"type":"connection_init"}')
  await once(socket, 'message')
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }))
  return rawViewer(
    socket,
    (listener) => socket.on('message', listener),
    () => socket.terminate(),
  )
}

function rawViewer(
  socket: Socket | WebSocket,
  listen: (listener: (chunk: Buffer) => void) => void,
  cut: () => void,
): RawViewer {
  socket.on('error', () => {})
  let received = 0
  let tail = ''
  let notice: (() => void) | undefined
  const start = () =>
    listen((chunk) => {
      received += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-chunk.length - 200)
      notice?.()
    })
  return {
    pause: () => void socket.pause(),
    readUntil(text) {
      return new Promise((resolve) => {
        notice = () => {
          if (tail.includes(text)) resolve(received)
        }
        start()
        socket.resume()
      })
    },
    cut,
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Referenced buffers and objects. */
function retainedBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
