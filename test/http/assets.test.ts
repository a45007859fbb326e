import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { ReadStream, readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServerAdapter, Response as RouteResponse } from '@whatwg-node/server'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { createRenditions, type Renditions } from '../../src/assets/renditions.ts'
import { createSigner } from '../../src/assets/signature.ts'
import type { AssetStore } from '../../src/assets/store.ts'
import { systemClock } from '../../src/clock.ts'
import { createAssetRoute, type ServedAsset } from '../../src/http/assets.ts'

const SMALL = 'img_SMALL'
const BIG = 'img_BIG'
const LOST = 'img_LOST'
const BIG_BYTES = 12 * 1024 * 1024

let dir: string
let store: AssetStore
let rows: Map<string, ServedAsset>
let png: Buffer
let big: Buffer
let route: ReturnType<typeof createAssetRoute>
let renditions: Renditions

/** Without API keys. */
const OPEN = {
  findDeleted: async () => undefined,
  isOpen: async () => true,
  signer: createSigner('secret', systemClock),
  clock: systemClock,
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-route-'))
  store = await openDirectoryStore(dir)
  png = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'tomato' } })
    .png()
    .toBuffer()
  big = randomBytes(BIG_BYTES)
  rows = new Map([
    [SMALL, await put(SMALL, png, 'image/png')],
    [BIG, await put(BIG, big, 'image/webp')],
    [LOST, { ...OF_A, id: LOST, sha256: 'e'.repeat(64), mimeType: 'image/png', byteSize: 5 }],
  ])
  renditions = createRenditions(store, join(dir, 'renditions'))
  route = createAssetRoute({ ...OPEN, find: async (id) => rows.get(id), store, renditions })
})
afterEach(() => rm(dir, { recursive: true }))

const OF_A = { projectId: 'prj_A' }

async function put(id: string, bytes: Buffer, mimeType: string): Promise<ServedAsset> {
  const file = store.newFile()
  await writeFile(file, bytes)
  return { ...(await store.put(file)), ...OF_A, id, mimeType }
}

async function requestAsset(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  const response = await route(new Request(`http://gateway${path}`, { headers, method }))
  if (!response) throw new Error(`${path} is not the asset route's`)
  return response
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

describe('an original', () => {
  it('is served unchanged, cacheable without an end and sandboxed', async () => {
    const response = await requestAsset(`/assets/${SMALL}`)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'image/png',
      'content-length': String(png.length),
      'content-disposition': 'inline; filename="img_SMALL.png"',
      'content-security-policy': "sandbox; default-src 'none'",
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: `"${rows.get(SMALL)!.sha256}"`,
    })
    expect((await bytesOf(response)).equals(png)).toBe(true)
  })

  it('is served with any extension', async () => {
    for (const extension of ['.png', '.jpg', '.webp']) {
      const response = await requestAsset(`/assets/${SMALL}${extension}`)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png'])
    }
  })

  it('is saved by a browser with ?download, whatever its size and format', async () => {
    for (const [query, name] of [
      ['?download', 'img_SMALL.png'],
      ['?download=1', 'img_SMALL.png'],
      ['?width=48&format=webp&download', 'img_SMALL.webp'],
    ]) {
      const { headers, status } = await requestAsset(`/assets/${SMALL}${query}`)
      expect([status, headers.get('content-disposition')]).toEqual([200, `attachment; filename="${name}"`])
    }
  })

  it('is read from memory if it is small and streamed if it is large', async () => {
    const [open, read] = [vi.spyOn(store, 'open'), vi.spyOn(store, 'read')]
    await bytesOf(await requestAsset(`/assets/${SMALL}`))
    expect([open.mock.calls.length, read.mock.calls.length]).toEqual([0, 1])
    expect((await bytesOf(await requestAsset(`/assets/${BIG}`))).equals(big)).toBe(true)
    expect([open.mock.calls.length, read.mock.calls.length]).toEqual([1, 1])
  })

  it('is not read for HEAD', async () => {
    const open = vi.spyOn(store, 'open')
    for (const [id, size] of [
      [SMALL, png.length],
      [BIG, BIG_BYTES],
    ] as const) {
      const response = await requestAsset(`/assets/${id}`, { range: 'bytes=0-1' }, 'HEAD')
      expect([response.status, response.headers.get('content-length')]).toEqual([200, String(size)])
      expect(await bytesOf(response)).toHaveLength(0)
    }
    expect(open).not.toHaveBeenCalled()
  })

  it.for([
    ['the same tag', (etag: string) => etag, 304],
    ['a weak tag', (etag: string) => `W/${etag}`, 304],
    ['one of several', (etag: string) => `"other", ${etag}`, 304],
    ['any tag', () => '*', 304],
    ['another tag', () => '"other"', 200],
  ] as const)('is compared with If-None-Match: %s', async ([, tag, status]) => {
    const etag = `"${rows.get(SMALL)!.sha256}"`
    const read = vi.spyOn(store, 'read')
    const response = await requestAsset(`/assets/${SMALL}`, { 'if-none-match': tag(etag) })
    expect([response.status, read.mock.calls.length]).toEqual([status, status === 304 ? 0 : 1])
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('cache-control')).toContain('immutable')
  })
})

describe('a range', () => {
  it.for([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=100-', 100, BIG_BYTES - 1],
    ['bytes=-7', BIG_BYTES - 7, BIG_BYTES - 1],
    [`bytes=-${BIG_BYTES * 2}`, 0, BIG_BYTES - 1],
    [`bytes=5-${BIG_BYTES * 2}`, 5, BIG_BYTES - 1],
  ] as const)('%s is served', async ([range, start, end]) => {
    const response = await requestAsset(`/assets/${BIG}`, { range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${BIG_BYTES}`)
    expect(response.headers.get('content-length')).toBe(String(end - start + 1))
    expect((await bytesOf(response)).equals(big.subarray(start, end + 1))).toBe(true)
  })

  it.for(['bytes=0-1,5-6', 'bytes=9-5', 'bytes=-', 'bytes=a-b', 'items=0-5', 'bytes'])(
    'in a form that a server may ignore is ignored: %s',
    async (range) => {
      const response = await requestAsset(`/assets/${SMALL}`, { range })
      expect(response.status).toBe(200)
      expect((await bytesOf(response)).equals(png)).toBe(true)
    },
  )

  it.for(['bytes=99999999-', 'bytes=99999999-100000000', 'bytes=-0'])(
    'after the end is refused with 416: %s',
    async (range) => {
      const response = await requestAsset(`/assets/${SMALL}`, { range })
      expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${png.length}`])
      expect(response.headers.get('cache-control')).toBeNull()
    },
  )

  it('is ignored if If-Range names another version', async () => {
    const etag = `"${rows.get(SMALL)!.sha256}"`
    const status = async (ifRange: string) =>
      (await requestAsset(`/assets/${SMALL}`, { range: 'bytes=0-9', 'if-range': ifRange })).status
    expect(await status(etag)).toBe(206)
    expect(await status('"other"')).toBe(200)
    expect(await status(`W/${etag}`)).toBe(200)
    expect(await status('Fri, 20 Nov 2026 10:00:00 GMT')).toBe(200)
  })

  it('of a small file is served from memory', async () => {
    const response = await requestAsset(`/assets/${SMALL}`, { range: 'bytes=1-3' })
    expect((await bytesOf(response)).toString()).toBe('PNG')
  })
})

describe('a rendition', () => {
  it('has the size and format of the query', async () => {
    const response = await requestAsset(`/assets/${SMALL}.png?width=48&height=48&format=webp`)
    expect(response.headers.get('content-type')).toBe('image/webp')
    expect(response.headers.get('content-disposition')).toBe('inline; filename="img_SMALL.webp"')
    const bytes = await bytesOf(response)
    expect(response.headers.get('content-length')).toBe(String(bytes.length))
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 48, height: 32, format: 'webp' })
  })

  it('is not rendered if If-None-Match matches', async () => {
    const path = `/assets/${SMALL}?width=48`
    const etag = (await requestAsset(path)).headers.get('etag')!
    expect(etag).not.toBe((await requestAsset(`/assets/${SMALL}`)).headers.get('etag'))
    const read = vi.spyOn(store, 'read')
    expect((await requestAsset(path, { 'if-none-match': etag })).status).toBe(304)
    expect(read).not.toHaveBeenCalled()
  })

  it('supports ranges', async () => {
    const response = await requestAsset(`/assets/${SMALL}?format=jpeg`, { range: 'bytes=0-1' })
    expect([response.status, (await bytesOf(response)).toString('hex')]).toEqual([206, 'ffd8'])
  })

  it.for(['width=0', 'width=5000', 'height=x', 'format=svg'])(
    'with an invalid query is refused with 400: %s',
    async (query) => {
      const response = await requestAsset(`/assets/${SMALL}?${query}`)
      expect(response.status).toBe(400)
      expect(response.headers.get('etag')).toBeNull()
      expect(await response.json()).toEqual({
        error: { code: 'BAD_USER_INPUT', message: expect.stringContaining(query.split('=')[0]!) },
      })
    },
  )
})

describe('a refusal', () => {
  it.for(['/assets/', '/assets/img_NONE', `/assets/${SMALL}/x`, '/assets/..%2f..%2fetc', `/assets/${LOST}`])(
    'of %s has status 404 and a JSON body',
    async (path) => {
      const response = await requestAsset(path)
      expect(response.status).toBe(404)
      expect(response.headers.get('cache-control')).toBeNull()
      expect(await response.json()).toEqual({ error: { code: 'NOT_FOUND', message: expect.any(String) } })
    },
  )

  it.for(['POST', 'PUT', 'DELETE', 'OPTIONS'])('of %s lists the allowed methods', async (method) => {
    const response = await requestAsset(`/assets/${SMALL}`, {}, method)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('is left to other routes outside of /assets/', async () => {
    expect(await route(new Request('http://gateway/graphql'))).toBeUndefined()
    expect(await route(new Request('http://gateway/assetsX'))).toBeUndefined()
  })

  it('does not hide an unexpected error', async () => {
    const failing = createAssetRoute({
      ...OPEN,
      find: () => Promise.reject(new Error('database gone')),
      store,
      renditions: createRenditions(store, dir),
    })
    await expect(failing(new Request(`http://gateway/assets/${SMALL}`))).rejects.toThrow('database gone')
  })
})

describe('over a real socket', () => {
  let base: string
  let server: Server
  beforeEach(async () => {
    const adapter = createServerAdapter(
      async (request: Request) => (await route(request)) ?? new RouteResponse(null, { status: 404 }),
    )
    server = createServer((request, response) => void adapter(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  function begin(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) =>
      get(`${base}${path}`, { agent: false }, resolve).on('error', reject),
    )
  }

  it('sends the whole file, a range, a HEAD and a 304 with correct lengths', async () => {
    const whole = await fetch(`${base}/assets/${BIG}`)
    expect((await bytesOf(whole)).equals(big)).toBe(true)
    const range = await fetch(`${base}/assets/${BIG}`, { headers: { range: 'bytes=1000-9000999' } })
    expect([range.status, (await bytesOf(range)).equals(big.subarray(1000, 9_001_000))]).toEqual([206, true])
    const head = await fetch(`${base}/assets/${BIG}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(BIG_BYTES)])
    const known = await fetch(`${base}/assets/${BIG}`, {
      headers: { 'if-none-match': head.headers.get('etag')! },
    })
    expect([known.status, await known.text()]).toEqual([304, ''])
    const small = await fetch(`${base}/assets/${SMALL}`)
    expect((await bytesOf(small)).equals(png)).toBe(true)
    await expect.poll(() => openObjects()).toEqual([])
  })

  it('reads only as fast as a slow client, and closes the file when it disconnects', async () => {
    const opened: ReadStream[] = []
    const open = store.open.bind(store)
    vi.spyOn(store, 'open').mockImplementation(async (...args) => {
      const stream = await open(...args)
      if (stream instanceof ReadStream) opened.push(stream)
      return stream
    })
    const clients = await Promise.all(Array.from({ length: 20 }, () => begin(`/assets/${BIG}`)))
    await expect.poll(() => openObjects()).toHaveLength(20)
    expect(opened).toHaveLength(20)
    expect(opened.every(({ bytesRead }) => bytesRead < BIG_BYTES)).toBe(true)
    for (const client of clients) client.destroy()
    await expect.poll(() => openObjects()).toEqual([])
    await expect.poll(() => opened.every(({ closed }) => closed)).toBe(true)
  })

  it('closes the file if the client disconnected before the response', async () => {
    const opening = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const open = store.open.bind(store)
    const opens = vi.spyOn(store, 'open').mockImplementation(async (...args) => {
      arrived.resolve()
      await opening.promise
      return open(...args)
    })
    const left = new Promise((resolve) => {
      server.once('request', (_: IncomingMessage, response: ServerResponse) =>
        response.once('close', resolve),
      )
    })
    const gone = new AbortController()
    const pending = fetch(`${base}/assets/${BIG}`, { signal: gone.signal })
    await arrived.promise
    gone.abort()
    await expect(pending).rejects.toThrow('aborted')
    await left
    opening.resolve()
    await expect.poll(() => opens.mock.settledResults).toHaveLength(1)
    await expect.poll(() => openObjects()).toEqual([])
    expect((await fetch(`${base}/assets/${SMALL}`)).status).toBe(200)
  })
})

/** The stored files that this process holds open. */
function openObjects(): string[] {
  const targets = readdirSync('/dev/fd').map((fd) => {
    try {
      return readlinkSync(join('/dev/fd', fd))
    } catch {
      return ''
    }
  })
  return targets.filter((target) => target.startsWith(join(dir, 'objects')))
}
