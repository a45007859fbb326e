import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { EventStream } from '../../src/http/graphql/live/event-stream.ts'
import { createFrames } from '../../src/http/graphql/live/frames.ts'
import { createPings } from '../../src/http/graphql/live/pings.ts'
import type { Sink } from '../../src/http/graphql/live/sink.ts'

const pings = createPings(systemClock)
const FRAMES = ['{"data":"é"}', '{"data":2}'].map((json, i) =>
  createFrames([{ position: i, payload: Buffer.from(json) }]),
)
const EVENTS =
  ':\n\nevent: next\ndata: {"data":"é"}\n\nevent: next\ndata: {"data":2}\n\nevent: complete\ndata:\n\n'

/** Only ends, as a viewer does. */
function writeFrames(sink: Sink): AsyncIterator<never, void> {
  return {
    async next() {
      for (const frames of FRAMES) {
        sink.write(frames)
        await nextTurn()
      }
      return { done: true, value: undefined }
    },
  }
}

/** As middleware that compresses does. */
function upperCased(response: ServerResponse): ServerResponse {
  const write = response.write.bind(response)
  return Object.assign(response, { write: (bytes: Buffer) => write(String(bytes).toUpperCase()) })
}

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const isChanged = request.url === '/changed'
  new EventStream(pings, writeFrames).pipe(isChanged ? upperCased(response) : response)
})
let port = 0

beforeAll(async () => {
  await once(server.listen({ port: 0, host: '127.0.0.1' }), 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
})

/** The text that a connection receives until it is closed. */
async function exchange(requests: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(requests)
  let text = ''
  for await (const part of socket) text += String(part)
  return text
}

const get = (path: string, version = '1.1', close = true) =>
  `GET ${path} HTTP/${version}\r\nhost: here\r\n${close ? 'connection: close\r\n' : ''}\r\n`

/** Of a response with chunks, and what follows it. */
function readChunks(text: string): { body: string; rest: string } {
  let bytes = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4))
  const parts: Buffer[] = []
  for (;;) {
    const end = bytes.indexOf('\r\n')
    const size = Number.parseInt(bytes.toString('latin1', 0, end), 16)
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    expect(bytes.toString('latin1', end + 2 + size, end + 4 + size)).toBe('\r\n')
    bytes = bytes.subarray(end + 4 + size)
    if (size === 0) return { body: Buffer.concat(parts).toString(), rest: bytes.toString() }
  }
}

it('sends events in chunks that end where the response ends, and serves the next request of the connection', async () => {
  const first = readChunks(await exchange(get('/', '1.1', false) + get('/')))
  expect(first.body).toBe(EVENTS)
  expect(first.rest).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(readChunks(first.rest)).toEqual({ body: EVENTS, rest: '' })
})

it('sends no chunks to a client of HTTP/1.0', async () => {
  const text = await exchange(get('/', '1.0'))
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(EVENTS)
})

it('sends no body for HEAD', async () => {
  const text = await exchange(get('/').replace('GET', 'HEAD'))
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(text.endsWith('\r\n\r\n')).toBe(true)
  expect(text).not.toContain('event:')
})

it('writes to a response whose middleware changes the bytes', async () => {
  expect(readChunks(await exchange(get('/changed'))).body).toBe(EVENTS.toUpperCase())
})

it('pings each stream once per interval, and stops its timer with the last one', async () => {
  let sleeping = 0
  const clock = {
    ...systemClock,
    async sleep() {
      sleeping++
      await nextTurn()
    },
  }
  const quick = createPings(clock)
  const counts = [0, 0]
  const removals = counts.map((_, i) => quick.add(() => counts[i]!++))
  await expect.poll(() => counts[0], { interval: 1 }).toBeGreaterThanOrEqual(3)
  removals[0]!()
  const [stopped] = counts
  await expect.poll(() => counts[1], { interval: 1 }).toBeGreaterThanOrEqual(stopped! + 2)
  expect(counts[0]).toBe(stopped)
  removals[1]!()
  await nextTurn()
  await nextTurn()
  const before = sleeping
  for (let i = 0; i < 5; i++) await nextTurn()
  expect(sleeping).toBe(before)
})
