import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { text as readText } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import { createUpstream, type Upstream } from '../../src/providers/wire/http.ts'
import { listen } from './upstreams/listen.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** Starts a server, closed when the test ends. */
async function serve(server: Server, scheme: 'http' | 'https' = 'http'): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  const url = await listen(server, scheme)
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return url
}

/** Calls `respond` once per complete request. */
function onRequest(respond: (socket: Socket, request: string) => void): Server {
  return createServer((socket) => {
    let seen = ''
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1')
      const [head = '', body] = seen.split('\r\n\r\n', 2)
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
      if (body !== undefined && body.length >= length) respond(socket, seen)
    })
  })
}

function upstreamAt(baseUrl: string, options: { timeoutMs?: number; secrets?: string[] } = {}): Upstream {
  const upstream = createUpstream({ name: 'studio', baseUrl, timeoutMs: 5000, secrets: [], ...options })
  closers.push(() => upstream.close())
  return upstream
}

/** Sends one request and returns its phases and its failure. */
async function sendOne(baseUrl: string, signal = new AbortController().signal) {
  const phases: string[] = []
  const facts: object[] = []
  const call = {
    signal,
    onWire: (phase: string, seen: object = {}) => {
      phases.push(phase)
      facts.push(seen)
    },
  }
  let failure: Failure | undefined
  let text = ''
  try {
    const message = { method: 'POST', path: '/images', headers: {}, body: '{"prompt":"a fox"}' } as const
    const reply = await upstreamAt(baseUrl).send(message, call)
    for await (const chunk of reply.body) text += chunk.toString()
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    failure = error.failure
  }
  return { phases, facts, failure, text }
}

function respondingWith(head: string, body = ''): Server {
  return onRequest((socket) => {
    socket.end(
      `HTTP/1.1 ${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    )
  })
}

async function replyTo(server: Server, path = '/images') {
  const call = { signal: new AbortController().signal, onWire: () => undefined }
  const reply = await upstreamAt(await serve(server)).send({ method: 'GET', path, headers: {} }, call)
  return { ...reply, text: await readText(reply.body) }
}

const UNREACHED = { kind: 'unreached', code: 'PROVIDER_UNREACHABLE', charged: 'NO' }
const LOST = { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }

describe('before the request starts', () => {
  it('a refused connection is unreached', async () => {
    const server = createServer()
    const url = await serve(server)
    await new Promise((resolve) => server.close(resolve))
    const { phases, failure } = await sendOne(url)
    expect(failure).toMatchObject(UNREACHED)
    expect(failure?.message).toBe('studio could not be reached: connection refused. Nothing was sent.')
    expect(phases).toEqual([])
  })

  it('a name that does not resolve is unreached', async () => {
    const { phases, failure } = await sendOne('http://nowhere.invalid')
    expect(failure).toMatchObject(UNREACHED)
    expect(phases).toEqual([])
  })

  it('a TLS handshake that fails is unreached', async () => {
    // Without a certificate, both sides have no cipher in common.
    const { phases, failure } = await sendOne(await serve(createTlsServer({}), 'https'))
    expect(failure).toMatchObject(UNREACHED)
    expect(phases).toEqual([])
  })

  it('a server that resets in the middle of the TLS handshake is unreached', async () => {
    const { phases, failure } = await sendOne(
      await serve(
        createServer((socket) => socket.resetAndDestroy()),
        'https',
      ),
    )
    expect(failure).toMatchObject(UNREACHED)
    expect(phases).toEqual([])
  })

  it('a call that is aborted before it starts is unreached, without a connection', async () => {
    let connections = 0
    const url = await serve(createServer(() => connections++))
    const { phases, failure } = await sendOne(url, AbortSignal.abort())
    expect(failure).toMatchObject(UNREACHED)
    expect(phases).toEqual([])
    expect(connections).toBe(0)
  })

  it('a call that is aborted just before its request starts is unreached, without a sent byte', async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    let bytes = 0
    const server = createServer((socket) => {
      socket.on('data', (chunk) => (bytes += chunk.length)).on('close', close)
    })
    const given = new AbortController()
    const pending = sendOne(await serve(server), given.signal)
    given.abort()
    const { phases, failure } = await pending
    await closed
    expect(failure).toMatchObject(UNREACHED)
    expect({ phases, bytes }).toEqual({ phases: [], bytes: 0 })
  })

  it('a call that is aborted while it connects is unreached immediately', async () => {
    const given = new AbortController()
    // Never continues the TLS handshake, which lasts until the connect timeout.
    const url = await serve(
      createServer(() => given.abort()),
      'https',
    )
    const { phases, failure } = await sendOne(url, given.signal)
    expect(failure).toMatchObject(UNREACHED)
    expect(phases).toEqual([])
  })
})

describe('after the request has started', () => {
  const faults: [name: string, phases: string[], act: (socket: Socket, given: AbortController) => void][] = [
    ['a reset after the whole request', ['DISPATCHED'], (socket) => socket.resetAndDestroy()],
    ['a close without a reply', ['DISPATCHED'], (socket) => socket.end()],
    ['a reply that is not HTTP', ['DISPATCHED'], (socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
    ['no reply until the caller aborts', ['DISPATCHED'], (_socket, given) => given.abort()],
    [
      'a body that is cut before its content-length',
      ['DISPATCHED', 'HEADERS'],
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"data":['),
    ],
    [
      'a chunked body that is cut before its last chunk',
      ['DISPATCHED', 'HEADERS'],
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"data":[\r\n'),
    ],
    [
      'a reset in the middle of the body',
      ['DISPATCHED', 'HEADERS'],
      (socket) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{', () => socket.resetAndDestroy()),
    ],
    [
      'a body that stalls until the caller aborts',
      ['DISPATCHED', 'HEADERS'],
      (socket, given) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{', () =>
          setImmediate(() => given.abort()),
        ),
    ],
  ]

  it.each(faults)('%s is lost', async (_name, phases, act) => {
    const given = new AbortController()
    let requests = 0
    const server = onRequest((socket) => {
      requests += 1
      act(socket, given)
    })
    const seen = await sendOne(await serve(server), given.signal)
    expect(seen.failure).toMatchObject(LOST)
    // An abort may overtake the head that was written just before it.
    expect(phases.slice(0, seen.phases.length)).toEqual(seen.phases)
    expect(seen.phases[0]).toBe('DISPATCHED')
    expect(requests).toBe(1)
  })

  it('a reset at accept is unreached or lost, as the phase proves', async () => {
    for (let round = 0; round < 20; round++) {
      const { phases, failure } = await sendOne(
        await serve(createServer((socket) => socket.resetAndDestroy())),
      )
      expect(failure).toMatchObject(phases.length === 0 ? UNREACHED : LOST)
    }
  })

  it('a call without a reply is lost at the deadline', async () => {
    const { failure } = await sendOne(await serve(onRequest(() => undefined)), AbortSignal.timeout(50))
    expect(failure).toMatchObject(LOST)
    expect(failure?.message).toContain('no answer in time')
  })

  it('a body without a length ends with the connection and counts as complete', async () => {
    const server = onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"data":['))
    const { phases, failure, text } = await sendOne(await serve(server))
    expect(failure).toBeUndefined()
    expect(phases).toEqual(['DISPATCHED', 'HEADERS', 'BODY_DONE'])
    expect(text).toBe('{"data":[')
  })
})

describe('a reply', () => {
  it('reports the status and the request id with its head', async () => {
    const { phases, facts } = await sendOne(
      await serve(respondingWith('429 Too Many\r\nx-request-id: req_7', '{}')),
    )
    expect(phases).toEqual(['DISPATCHED', 'HEADERS', 'BODY_DONE'])
    expect(facts[1]).toEqual({ httpStatus: 429, providerRequestId: 'req_7' })
  })

  it('does not follow a redirect', async () => {
    let elsewhere = 0
    const other = await serve(onRequest(() => elsewhere++))
    expect(await replyTo(respondingWith(`307 Moved\r\nlocation: ${other}/`))).toMatchObject({ status: 307 })
    expect(elsewhere).toBe(0)
  })

  it.each([
    ['retry-after: 12', 12_000],
    ['retry-after: 0', 0],
    ['retry-after: 12\r\nretry-after-ms: 250', 250],
    ['date: Fri, 20 Nov 2026 10:00:00 GMT\r\nretry-after: Fri, 20 Nov 2026 10:00:30 GMT', 30_000],
    ['date: Fri, 20 Nov 2026 10:00:00 GMT\r\nretry-after: Fri, 20 Nov 2026 09:00:00 GMT', 0],
    ['retry-after: Fri, 20 Nov 2026 10:00:30 GMT', undefined],
    ['retry-after: soon', undefined],
    ['retry-after: 9999999999999999999999999', undefined],
    ['retry-after: 3153600000', 3_153_600_000_000],
    ['x-nothing: 1', undefined],
  ])('with %j requests a wait of %s ms', async (header, wait) => {
    expect((await replyTo(respondingWith(`429 Too Many\r\n${header}`))).retryAfterMs).toBe(wait)
  })

  it('is decompressed if a proxy compressed it', async () => {
    const packed = gzipSync('{"data":[]}').toString('latin1')
    const server = onRequest((socket) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`
      socket.end(head + packed, 'latin1')
    })
    expect((await replyTo(server)).text).toBe('{"data":[]}')
  })

  it('has its content type in lower case without parameters', async () => {
    const reply = await replyTo(respondingWith('200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8'))
    expect(reply.contentType).toBe('text/event-stream')
  })
})

it('keeps the path and the query of the base URL', async () => {
  let line = ''
  const url = await serve(
    onRequest((socket, request) => {
      line = request.split('\r\n')[0] ?? ''
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    }),
  )
  const call = { signal: new AbortController().signal, onWire: () => undefined }
  const upstream = upstreamAt(`${url}/openai/v1/?api-version=preview`)
  const reply = await upstream.send({ method: 'GET', path: '/tasks?id=1', headers: {} }, call)
  await readText(reply.body)
  expect(line).toBe('GET /openai/v1/tasks?id=1&api-version=preview HTTP/1.1')
})

it('removes secrets, markup and excess length from the texts of a reply', async () => {
  const call = { signal: new AbortController().signal, onWire: () => undefined }
  const upstream = upstreamAt(await serve(respondingWith('200 OK')), { secrets: ['hunter2', ''] })
  const headers = { 'api-key': 'signed-for-this-request' }
  const { clean, body } = await upstream.send({ method: 'GET', path: '/images', headers }, call)
  await readText(body)
  expect(clean('key hunter2 or sk-abcdefgh123 is <b>wrong</b>\n\tsay\u0000 Bearer abc.def')).toBe(
    'key [redacted] or [redacted] is wrong say [redacted]',
  )
  expect(clean('signed-for-this-request')).toBe('[redacted]')
  expect(clean('x'.repeat(2000))).toHaveLength(500)
})
