import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Agent, request } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  checkUrl,
  ForbiddenAddress,
  guardedConnector,
  isPublicAddress,
  replyRule,
  requestRule,
} from '../../src/providers/wire/address.ts'
import { listen } from './upstreams/listen.ts'
import { createDownloader, DownloadError, type DownloaderOptions } from '../../src/providers/wire/download.ts'

const closers: (() => unknown)[] = []
let folder: string
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'darkroom-download-'))
})
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})
afterAll(() => rmSync(folder, { recursive: true }))

async function serve(listener: RequestListener): Promise<{ url: string; hits: () => number }> {
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

async function fetchTo(url: string, options: DownloaderOptions, signal = new AbortController().signal) {
  const file = join(folder, String(count++))
  const downloader = createDownloader(options)
  closers.push(() => downloader.close())
  try {
    return { byteSize: await downloader.download(url, file, signal), bytes: readFileSync(file) }
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    if (existsSync(file)) throw new Error('A failed download left a file', { cause: error })
    return { failure: error.failure, message: error.message }
  }
}

/** A resolver that returns these answers in sequence. */
function resolving(...answers: string[][]): NonNullable<DownloaderOptions['resolve']> {
  return (_name, _options, callback) => {
    const addresses = answers.shift() ?? []
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}

/** Downloads from a new server with this listener. */
async function from(listener: RequestListener, options: { maxBytes?: number; signal?: AbortSignal } = {}) {
  const { url, hits } = await serve(listener)
  const { signal, ...rest } = options
  return { ...(await fetchTo(`${url}/`, { rule: replyRule(url), ...rest }, signal)), hits: hits() }
}

/** Redirects `max` times, then responds. */
function hops(max: number): RequestListener {
  return ({ url = '' }, response) => {
    const hop = Number(url.slice(1) || 0)
    if (hop === max) response.end('there')
    else response.writeHead(302, { location: `/${hop + 1}` }).end()
  }
}

const PRIVATE = [
  ['http://127.0.0.1/', 'loopback'],
  ['http://0x7f.1/', 'loopback in hexadecimal'],
  ['http://2130706433/', 'loopback as one number'],
  ['http://0177.0.0.1/', 'loopback in octal'],
  ['http://127.1/', 'loopback in two parts'],
  ['http://①②⑦.⓪.⓪.①/', 'loopback in circled digits'],
  ['http://%31%32%37.0.0.1/', 'loopback with escaped digits'],
  ['http://127.0.0.1./', 'loopback with a final dot'],
  ['http://[::1]/', 'IPv6 loopback'],
  ['http://[::ffff:7f00:1]/', 'IPv4 loopback mapped into IPv6'],
  ['http://[::ffff:127.0.0.1]/', 'the same, dotted'],
  ['http://[::7f00:1]/', 'IPv4-compatible loopback'],
  ['http://0.0.0.0/', 'the unspecified address'],
  ['http://[::]/', 'the unspecified IPv6 address'],
  ['http://localhost/', 'localhost'],
  ['http://LOCALHOST./', 'localhost with a final dot'],
  ['http://app.localhost/', 'a name under localhost'],
  ['http://169.254.169.254/latest/meta-data/', "a cloud's metadata"],
  ['http://[fd00:ec2::254]/', "a cloud's metadata over IPv6"],
  ['http://168.63.129.16/', "Azure's host agent"],
  ['http://100.64.0.1/', 'carrier-grade NAT'],
  ['http://[64:ff9b::7f00:1]/', 'loopback through NAT64'],
  ['http://[2002:7f00:1::]/', 'loopback through 6to4'],
  ['http://10.0.0.1/', 'a private network'],
  ['http://172.16.0.1/', 'a private network'],
  ['http://192.168.1.1/', 'a private network'],
  ['http://[fe80::1]/', 'a link-local address'],
  ['http://224.0.0.1/', 'multicast'],
  ['http://255.255.255.255/', 'broadcast'],
] as const

const webRule = requestRule(['https:', 'http:'])

describe('a URL in a request', () => {
  it.each(PRIVATE)('may not be %s (%s)', async (url) => {
    expect(checkUrl(url, webRule)).toBe('must be on a public host')
    expect(await fetchTo(url, { rule: webRule })).toEqual({
      failure: 'FORBIDDEN',
      message: 'must be on a public host',
    })
  })

  it.each([
    ['ftp://example.com/a.png', 'must begin with https:// or http://'],
    ['file:///etc/passwd', 'must begin with https:// or http://'],
    ['javascript:alert(1)', 'must begin with https:// or http://'],
    ['data:image/png;base64,AAAA', 'must begin with https:// or http://'],
    ['//example.com/a.png', 'must be an absolute URL'],
    ['http://user:pass@example.com/', 'must not contain a user name or password'],
    ['http://example.com:22/', 'must not name port 22; 80 and 443 are allowed'],
    ['http://example.com:6379/', 'must not name port 6379; 80 and 443 are allowed'],
    [`https://example.com/${'x'.repeat(2048)}`, 'must not be longer than 2048 characters'],
  ])('may not be %.30s', (url, problem) => {
    expect(checkUrl(url, webRule)).toBe(problem)
  })

  it('may be on any public host, over https unless http is allowed', () => {
    expect(checkUrl('https://example.com/a.png?b=c', requestRule())).toBeUndefined()
    expect(checkUrl('https://93.184.216.34:443/', requestRule())).toBeUndefined()
    expect(checkUrl('https://[2606:4700::1111]/', requestRule())).toBeUndefined()
    expect(checkUrl('http://example.com/', requestRule())).toBe('must begin with https://')
    expect(checkUrl('http://example.com/', webRule)).toBeUndefined()
  })
})

describe('a connection', () => {
  it('is refused before it is made, for every spelling of an IP literal, even without a check of the URL', async () => {
    const { url, hits } = await serve((_incoming, response) => response.end('secret'))
    const { port } = new URL(url)
    const agent = new Agent({ connect: guardedConnector(webRule) })
    closers.push(() => agent.destroy())
    for (const host of [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '①②⑦.⓪.⓪.①',
      '[::ffff:7f00:1]',
      '0.0.0.0',
      'localhost',
    ]) {
      const pending = request(`http://${host}:${port}/`, { dispatcher: agent })
      await expect(pending).rejects.toBeInstanceOf(ForbiddenAddress)
    }
    expect(hits()).toBe(0)
  })

  it.each([
    ['a private address', [['127.0.0.1']]],
    ['a private address among public ones', [['93.184.216.34', '10.0.0.1']]],
    ['a mapped loopback', [['::ffff:7f00:1']]],
    ['nothing', [[]]],
  ])('to a name that resolves to %s is refused', async (_name, answers) => {
    const { url, hits } = await serve((_incoming, response) => response.end('secret'))
    const rule = { ...webRule, ports: null }
    const target = url.replace('127.0.0.1', 'images.example')
    expect(await fetchTo(target, { rule, resolve: resolving(...answers) })).toEqual({
      failure: 'FORBIDDEN',
      message: 'is not on a public host',
    })
    expect(hits()).toBe(0)
  })

  it('to a name that now resolves to a private address is refused', async () => {
    const { url, hits } = await serve((_incoming, response) => {
      response.writeHead(302, { location: `http://rebound.example:${new URL(url).port}/` }).end()
    })
    const publicOnce = new Set(['127.0.0.1'])
    // The rule accepts the first connection as public, and refuses the second one to the same address.
    const rule = { ...webRule, ports: null, isPublic: (address: string) => publicOnce.delete(address) }
    const target = url.replace('127.0.0.1', 'rebound.example')
    const resolve = resolving(['127.0.0.1'], ['127.0.0.1'])
    expect(await fetchTo(target, { rule, resolve })).toMatchObject({ failure: 'FORBIDDEN' })
    expect(hits()).toBe(1)
  })
})

describe('a URL in a reply', () => {
  it("may be private on the provider's own origin, and on no other port of it", async () => {
    const own = await serve((_incoming, response) => response.end('image'))
    const other = await serve((_incoming, response) => response.end('secret'))
    const rule = replyRule(`${own.url}/v1`)
    expect(await fetchTo(`${own.url}/a.png`, { rule })).toEqual({
      byteSize: 5,
      bytes: Buffer.from('image'),
    })
    expect(await fetchTo(`${other.url}/a.png`, { rule })).toMatchObject({ failure: 'FORBIDDEN' })
    expect(other.hits()).toBe(0)
  })

  it("may not be private on another port of the provider's own host", async () => {
    const other = await serve((_incoming, response) => response.end('secret'))
    const options = { rule: replyRule('http://studio.example:1/v1'), resolve: resolving(['127.0.0.1']) }
    const target = other.url.replace('127.0.0.1', 'studio.example')
    expect(await fetchTo(target, options)).toMatchObject({ failure: 'FORBIDDEN' })
    expect(other.hits()).toBe(0)
  })

  it("may not lead from the provider's own origin to another private one", async () => {
    const inside = await serve((_incoming, response) => response.end('secret'))
    const own = await serve((_incoming, response) => response.writeHead(307, { location: inside.url }).end())
    expect(await fetchTo(own.url, { rule: replyRule(own.url) })).toEqual({
      failure: 'FORBIDDEN',
      message: 'leads to another that must be on a public host',
    })
    expect(inside.hits()).toBe(0)
  })
})

describe('a download', () => {
  it('follows three redirects and not a fourth', async () => {
    expect(await from(hops(3))).toMatchObject({ byteSize: 5, hits: 4 })
    expect(await from(hops(4))).toMatchObject({
      failure: 'UNREACHABLE',
      message: 'redirects more than 3 times',
      hits: 4,
    })
  })

  it('sends no credentials and accepts no compression', async () => {
    let headers: object = {}
    await from((incoming, response) => {
      headers = incoming.headers
      response.end('x')
    })
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ])
    expect(headers).toMatchObject({ 'accept-encoding': 'identity' })
  })

  it('of too many bytes ends at the maximum, with or without a content-length', async () => {
    const announced = await from(
      (_incoming, response) => response.writeHead(200, { 'content-length': 2000 }).end('x'),
      {
        maxBytes: 1000,
      },
    )
    expect(announced).toMatchObject({
      failure: 'TOO_LARGE',
      message: 'holds more than the 1000 bytes allowed',
    })
    const { promise: ended, resolve: closed } = Promise.withResolvers<void>()
    const endless = await from(
      (_incoming, response) => {
        const more = setInterval(() => response.write(Buffer.alloc(500)), 1)
        response.on('close', () => {
          clearInterval(more)
          closed()
        })
      },
      { maxBytes: 1000 },
    )
    expect(endless).toMatchObject({ failure: 'TOO_LARGE' })
    await ended
  })

  it('that arrives slowly ends at the deadline', async () => {
    const signal = AbortSignal.timeout(100)
    const dripping = await from(
      (_incoming, response) => {
        const drip = setInterval(() => response.write('x'), 5)
        response.on('close', () => clearInterval(drip))
      },
      { signal },
    )
    expect(dripping).toMatchObject({ failure: 'TIMED_OUT', message: 'did not deliver in time' })
  })

  it('of a compressed body is refused, so that a small one cannot unpack into a huge one', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000))
    const refused = await from((_incoming, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    expect(refused).toMatchObject({ failure: 'UNREACHABLE', message: 'answered with a compressed body' })
  })

  it.each([404, 500, 204, 304])('with status %i fails', async (status) => {
    const failed = await from((_incoming, response) => response.writeHead(status).end())
    expect(failed).toMatchObject({ failure: 'UNREACHABLE', message: `answered with status ${status}` })
  })

  it('that breaks off fails and leaves no file', async () => {
    const cut = await from((_incoming, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    })
    expect(cut).toMatchObject({ failure: 'UNREACHABLE' })
  })
})

it('a malformed address is not public', () => {
  expect(isPublicAddress('example.com')).toBe(false)
  expect(isPublicAddress('8.8.8.8')).toBe(true)
})
