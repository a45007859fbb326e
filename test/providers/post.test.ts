import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { requestRule, type AddressRule, type Resolve } from '../../src/providers/wire/address.ts'
import { createPoster, PostError } from '../../src/providers/wire/post.ts'
import { listen } from './upstreams/listen.ts'

const LOOSE = { ...requestRule(['http:']), ports: null, isPublic: () => true }
/** Accepts the URL by name and port; connections are still checked. */
const STRICT = { ...requestRule(['http:']), ports: null }

const toPrivate: Resolve = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function serve(listener: RequestListener) {
  let hits = 0
  const server = createServer((incoming, response) => {
    hits += 1
    listener(incoming, response)
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const url = await listen(server)
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url, hits: () => hits }
}

async function post(
  url: string,
  options: { rule?: AddressRule; resolve?: Resolve; timeoutMs?: number } = {},
) {
  const { rule = LOOSE, resolve, timeoutMs = 5000 } = options
  const poster = createPoster({ rule, ...(resolve ? { resolve } : {}) })
  closers.push(() => poster.close())
  const message = { headers: { 'content-type': 'text/plain', 'x-mine': '1' }, body: 'hello' }
  try {
    return await poster.post(url, message, AbortSignal.timeout(timeoutMs))
  } catch (error) {
    if (error instanceof PostError) return { failure: error.failure, message: error.message }
    throw error
  }
}

describe('a post', () => {
  it('sends its headers and its body once and returns the status', async () => {
    let received = ''
    const { url, hits } = await serve((incoming, response) => {
      received = `${incoming.method} ${String(incoming.headers['x-mine'])} `
      incoming.on('data', (chunk: Buffer) => (received += chunk.toString()))
      incoming.on('end', () => response.writeHead(201).end('thanks'))
    })
    expect(await post(url)).toEqual({ status: 201, retryAfterMs: undefined })
    expect([received, hits()]).toEqual(['POST 1 hello', 1])
  })

  it('follows no redirect', async () => {
    const target = await serve((_, response) => response.end())
    const { url } = await serve((_, response) => response.writeHead(307, { location: target.url }).end())
    expect(await post(url)).toEqual({ status: 307, retryAfterMs: undefined })
    expect(target.hits()).toBe(0)
  })

  it('returns the wait that the receiver requests', async () => {
    const { url } = await serve((_, response) => response.writeHead(503, { 'retry-after': '120' }).end())
    expect(await post(url)).toEqual({ status: 503, retryAfterMs: 120_000 })
  })

  it('returns after the head of a reply with an endless body', async () => {
    let written = 0
    const { url } = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
      }
      response.writeHead(200).on('drain', more)
      more()
    })
    expect(await post(url)).toEqual({ status: 200, retryAfterMs: undefined })
    expect(written).toBeLessThan(10_000_000)
  })

  it('returns after the head of a reply whose body never arrives', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'content-length': '10' }).write('1'),
    )
    expect(await post(url, { timeoutMs: 200 })).toEqual({ status: 200, retryAfterMs: undefined })
  })

  it('reports a timeout, and an unreachable receiver', async () => {
    const hanging = await serve(() => {})
    expect(await post(hanging.url, { timeoutMs: 100 })).toEqual({
      failure: 'TIMED_OUT',
      message: 'did not answer in time',
    })
    const cutting = await serve((incoming) => incoming.socket.destroy())
    const lost = { failure: 'UNREACHABLE', message: 'could not be reached' }
    expect(await post(cutting.url)).toEqual(lost)
    expect(await post('http://127.0.0.1:1/')).toEqual(lost)
  })

  it.each(['127.0.0.1', '0x7f.1', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:7f00:1]', 'localhost'])(
    'does not connect to %s',
    async (host) => {
      const { url, hits } = await serve((_, response) => response.end())
      const forbidden = { failure: 'FORBIDDEN', message: 'must be on a public host' }
      expect(await post(url.replace('127.0.0.1', host), { rule: STRICT })).toEqual(forbidden)
      expect(hits()).toBe(0)
    },
  )

  it('does not connect to a name that now resolves to a private address', async () => {
    const { url, hits } = await serve((_, response) => response.end())
    expect(
      await post(url.replace('127.0.0.1', 'hooks.example.com'), { rule: STRICT, resolve: toPrivate }),
    ).toEqual({
      failure: 'FORBIDDEN',
      message: 'is not on a public host',
    })
    expect(hits()).toBe(0)
  })
})
