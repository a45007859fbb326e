import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it, type TestContext } from 'vitest'
import { listen } from '../../src/http/server.ts'

const BYTES = 24 * 1024 * 1024
const TIMEOUT_MS = 2500

/** A client of a server with a response of 24 MB. */
async function openClient({ onTestFinished }: TestContext, body: () => BodyInit) {
  const sockets = { upgrade: () => undefined, close: () => Promise.resolve() }
  const listener = await listen(async () => new Response(body()), sockets, {
    host: '127.0.0.1',
    port: 0,
    slowClientTimeoutMs: TIMEOUT_MS,
  })
  const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(async () => {
    socket.destroy()
    await listener.close()
  })
  socket.write('GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')
  const closed = once(socket, 'close')
  return { socket, closed }
}

const BODIES: [string, () => BodyInit][] = [
  ['in one piece', () => new Uint8Array(BYTES)],
  [
    'as a stream',
    () => {
      let left = BYTES
      return new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(65_536))
          left -= 65_536
          if (left <= 0) controller.close()
        },
      })
    },
  ],
]

it.concurrent.for(BODIES)(
  'closes the connection of a client that stops reading a body %s',
  async ([, body], context) => {
    const { socket, closed } = await openClient(context, body)
    let taken = 0
    socket.on('data', (chunk: Buffer) => (taken += chunk.length))
    await once(socket, 'data')
    socket.pause()
    await pause(3 * TIMEOUT_MS)
    socket.resume()
    await closed
    expect(taken).toBeLessThan(BYTES)
  },
)

it.concurrent.for(BODIES)(
  'sends the entire body %s to a client that reads slowly',
  async ([, body], context) => {
    const { socket, closed } = await openClient(context, body)
    let taken = 0
    const startedAt = performance.now()
    socket.on('data', (chunk: Buffer) => {
      taken += chunk.length
      socket.pause()
      setTimeout(() => socket.resume(), 16)
    })
    await closed
    expect(taken).toBeGreaterThan(BYTES)
    expect(performance.now() - startedAt).toBeGreaterThan(2 * TIMEOUT_MS)
  },
)

it.concurrent('keeps the connection of a client that waits for a response', async (context) => {
  const { socket, closed } = await openClient(
    context,
    () =>
      new ReadableStream({
        async pull(controller) {
          await pause(3 * TIMEOUT_MS)
          controller.enqueue(new TextEncoder().encode('at last'))
          controller.close()
        },
      }),
  )
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await closed
  expect(text).toContain('at last')
})
