import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import type { RenditionCache } from '../../../src/assets/disk-cache.ts'
import { BUCKET_TUNING, openBucket, type Bucket, type BucketTuning } from '../../../src/assets/s3/bucket.ts'
import { collectUnused } from '../../../src/assets/s3/collect.ts'
import { objectKey } from '../../../src/assets/s3/keys.ts'
import { parseS3Url } from '../../../src/assets/s3/settings.ts'
import { openS3Store } from '../../../src/assets/s3/store.ts'
import { AssetMissing, type AssetStore, type Collector } from '../../../src/assets/store.ts'
import { S3_CREDENTIALS, startS3Server, type S3Server } from '../../support/s3-server.ts'
import { testAssetStore } from '../contract.ts'

const TUNING: BucketTuning = { ...BUCKET_TUNING, pauseMs: 5 }

let server: S3Server
beforeAll(async () => {
  for (const [name, value] of Object.entries(S3_CREDENTIALS)) vi.stubEnv(name, value)
  server = await startS3Server()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

async function openAt(url: string, tuning = TUNING) {
  const dir = await mkdtemp(join(tmpdir(), 'darkroom-s3-'))
  const bucket = await openBucket(parseS3Url(url), {
    clock: systemClock,
    random: Math.random,
    tuning,
  })
  const store = await openS3Store(bucket, { dir, clock: systemClock })
  return {
    store,
    bucket,
    async close() {
      await store.close()
      await rm(dir, { recursive: true })
    },
  }
}

testAssetStore('a bucket', () => openAt(server.newUrl()))
testAssetStore('a prefix of a bucket', () => openAt(server.newUrl('some/prefix')))

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The cache of a machine. */
function local(): RenditionCache {
  const kept = new Map<string, Buffer>()
  return {
    read: async (name) => kept.get(name),
    write: async (name, bytes) => void kept.set(name, bytes),
    async removeFolder(name) {
      for (const key of kept.keys()) if (key.startsWith(name)) kept.delete(key)
    },
  }
}

describe('an S3 store', () => {
  let url: string
  let store: AssetStore
  let bucket: Bucket
  let opened: Awaited<ReturnType<typeof openAt>>

  beforeEach(async () => {
    url = server.newUrl('pictures')
    opened = await openAt(url)
    ;({ store, bucket } = opened)
    server.requests.length = 0
  })
  afterEach(async () => {
    server.fail()
    await opened.close()
  })

  async function put(bytes: Buffer): Promise<string> {
    const file = store.newFile()
    await writeFile(file, bytes)
    return (await store.put(file)).sha256
  }
  /** A store of another process, without this one's memory. */
  const other = async () =>
    openS3Store(bucket, { dir: await mkdtemp(join(tmpdir(), 'darkroom-s3-')), clock: systemClock })

  it('stores objects under its prefix with the type that their bytes have', async () => {
    const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(100)])
    const sha256 = await put(bytes)
    expect(await server.keys(url)).toEqual(
      expect.arrayContaining([`pictures/objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`]),
    )
    const sent = server.requests.find(({ method, path }) => method === 'PUT' && path.includes('/objects/'))
    expect(sent?.headers).toMatchObject({ 'content-type': 'image/png', 'content-length': '108' })
  })

  it('sends no checksum, access list or encryption that was not asked for', async () => {
    await put(randomBytes(9 * 1024 * 1024))
    const names = server.requests.flatMap(({ headers }) => Object.keys(headers))
    const unwanted = names.filter((name) =>
      /checksum|x-amz-acl|server-side|trailer|transfer-encoding/.test(name),
    )
    expect(unwanted).toEqual([])
  })

  it('sends the headers of encryption if the URL asks for it', async () => {
    const encrypted = await openAt(server.newUrl('', '&encryption=aws:kms&kmsKeyId=key-1'))
    server.requests.length = 0
    const file = encrypted.store.newFile()
    await writeFile(file, 'content')
    await encrypted.store.put(file)
    const sent = server.requests.find(({ method, path }) => method === 'PUT' && path.includes('/objects/'))
    expect(sent?.headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
    })
    await encrypted.close()
  })

  it('does not send content again that the store has', async () => {
    const bytes = randomBytes(1000)
    await put(bytes)
    await put(bytes)
    const sent = server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/objects/'))
    expect(sent).toHaveLength(1)
  })

  it.for([
    ['SlowDown', { status: 503, code: 'SlowDown' }],
    ['too many requests', { status: 429, code: 'TooManyRequests' }],
    ['an internal error', { status: 500, code: 'InternalError' }],
  ] as const)('repeats requests after %s, and opens streams again', async ([, fault]) => {
    let left = 3
    server.fail(({ path }) => (path.includes('/objects/') && left-- > 0 ? fault : undefined))
    const bytes = randomBytes(9 * 1024 * 1024)
    const sha256 = await put(bytes)
    left = 2
    const stored = await (await other()).read(sha256)
    expect(stored.equals(bytes)).toBe(true)
  })

  it('repeats requests that are never answered', async () => {
    const impatient = await openAt(server.newUrl(), { ...TUNING, requestTimeoutMs: 1000 })
    let left = 2
    server.fail(({ path }) => (path.includes('/objects/') && left-- > 0 ? 'hang' : undefined))
    const file = impatient.store.newFile()
    await writeFile(file, 'content')
    await impatient.store.put(file)
    expect(left).toBeLessThan(0)
    await impatient.close()
  })

  it('does not repeat a refusal, and names what to allow', async () => {
    server.fail(({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined))
    await expect(put(randomBytes(10))).rejects.toThrow(
      'does not permit the request: allow GetObject, PutObject and DeleteObject on pictures/* (AccessDenied)',
    )
    expect(server.requests).toHaveLength(1)
  })

  it('knows objects that a store hides from keys that may not list', async () => {
    server.fail(({ method }) => (method === 'HEAD' ? { status: 403, code: 'AccessDenied' } : undefined))
    const hidden = await openAt(server.newUrl())
    server.fail(({ method }) => (method === 'GET' ? { status: 403, code: 'AccessDenied' } : undefined))
    await expect(hidden.store.read(hashOf(Buffer.from('absent')))).rejects.toThrow(AssetMissing)
    server.fail()
    await hidden.close()
  })

  it('has no space while the store takes nothing, and again when it does', async () => {
    await put(randomBytes(10))
    await store.checkFreeSpace()
    server.fail(() => ({ status: 503, code: 'SlowDown' }))
    await expect(put(randomBytes(10))).rejects.toThrow('does not answer now (SlowDown)')
    await expect(store.checkFreeSpace()).rejects.toMatchObject({ code: 'SlowDown' })
    server.fail()
    await store.checkFreeSpace()
  })

  it('reads half of a range from the middle of 20 MB', async () => {
    const bytes = randomBytes(20 * 1024 * 1024)
    const sha256 = await put(bytes)
    const part = await buffer(await store.open(sha256, { start: 5_000_000, end: 14_999_999 }))
    expect(part.equals(bytes.subarray(5_000_000, 15_000_000))).toBe(true)
  })

  it('belongs to one database', async () => {
    expect([await store.claimOwner('a'), await store.claimOwner('a'), await store.claimOwner('b')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('shares renditions, and removes them with their image', async () => {
    const [own, others] = [store.withRenditions(local()), (await other()).withRenditions(local())]
    await own.write('ab/abc/r1-10x10.png', Buffer.from('small'))
    expect(await others.read('ab/abc/r1-10x10.png')).toEqual(Buffer.from('small'))
    await own.removeFolder('ab/abc')
    expect(await store.withRenditions(local()).read('ab/abc/r1-10x10.png')).toBeUndefined()
  })

  describe('collection', () => {
    const removed: string[] = []
    beforeEach(() => void removed.splice(0))
    const collector = (findUsed: Collector['findUsed']): Collector => ({
      findUsed,
      onRemoved: async (sha256) => void removed.push(sha256),
      signal: new AbortController().signal,
    })
    const nothing = collector(async () => new Set())
    /** All that is there counts as old, markers included. */
    const OLD_MS = -60_000

    it('deletes content without references, and keeps the rest', async () => {
      const [used, unused] = [await put(randomBytes(10)), await put(randomBytes(10))]
      await store.collect(
        OLD_MS,
        collector(async () => new Set([used])),
      )
      expect(removed).toEqual([unused])
      expect(await store.read(used)).toHaveLength(10)
      await expect(store.read(unused)).rejects.toThrow(AssetMissing)
      expect((await server.keys(url)).filter((key) => /aside|touched/.test(key))).toEqual([])
    })

    it('keeps content that was stored or touched recently', async () => {
      const sha256 = await put(randomBytes(10))
      await store.collect(60_000, nothing)
      expect(await store.read(sha256)).toHaveLength(10)
    })

    it('restores content that a process touched while it was deleted', async () => {
      const bytes = randomBytes(10)
      const sha256 = await put(bytes)
      let asked = 0
      await store.collect(
        OLD_MS,
        collector(async () => new Set(asked++ === 0 ? [] : [sha256])),
      )
      expect(asked).toBe(2)
      expect(removed).toEqual([])
      expect(await (await other()).read(sha256)).toEqual(bytes)
    })

    it('completes a collection that a crash interrupted', async () => {
      const [needed, unneeded] = [await put(randomBytes(10)), await put(randomBytes(10))]
      for (const sha256 of [needed, unneeded]) {
        const key = `objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`
        await bucket.copy(key, `aside/${sha256}`)
        await bucket.remove(key)
      }
      const fresh = await other()
      await fresh.collect(
        OLD_MS,
        collector(async () => new Set([needed])),
      )
      expect(removed).toEqual([unneeded])
      expect(await fresh.read(needed)).toHaveLength(10)
    })

    it('loses nothing while others store and refer to the same content', async () => {
      const bytes = randomBytes(100)
      const sha256 = hashOf(bytes)
      const referenced = new Set<string>()
      // All content is old, and no marker.
      const aged: Bucket = {
        ...bucket,
        async *list(prefix) {
          for await (const entry of bucket.list(prefix)) yield { ...entry, modifiedAt: 0 }
        },
      }
      const state = { isOver: false }
      let collections = 0
      const collecting = (async () => {
        for (; !state.isOver; collections++)
          await collectUnused(
            aged,
            Date.now() - 3_600_000,
            collector(async () => new Set(referenced)),
          )
      })()
      const second = await other()
      for (let i = 0; i < 40; i++) {
        const file = second.newFile()
        await writeFile(file, bytes)
        await second.put(file)
        referenced.add(sha256)
        const marker = () => bucket.remove(`touched/${sha256}`)
        // A collection that is between its copy and its restoration ends first.
        await expect.poll(() => bucket.head(objectKey(sha256))).toBeDefined()
        referenced.delete(sha256)
        await marker()
      }
      state.isOver = true
      await collecting
      expect(collections).toBeGreaterThan(5)
      expect(removed.length).toBeGreaterThan(0)
    })
  })
})

describe('opening a store says what is wrong:', () => {
  afterEach(() => server.fail())

  it.for([
    ['the bucket is missing', { status: 404, code: 'NoSuchBucket' }, 'does not exist: create it'],
    ['the key is unknown', { status: 403, code: 'InvalidAccessKeyId' }, 'does not accept the credentials'],
    [
      'the secret is wrong',
      { status: 403, code: 'SignatureDoesNotMatch' },
      'does not accept the credentials',
    ],
    ['the role may not write', { status: 403, code: 'AccessDenied' }, 'allow GetObject, PutObject'],
    [
      'the region is another one',
      { status: 400, code: 'AuthorizationHeaderMalformed', extra: '<Region>eu-west-3</Region>' },
      'set region=eu-west-3',
    ],
    [
      'the clock is off',
      {
        status: 403,
        code: 'RequestTimeTooSkewed',
        headers: { date: new Date(Date.now() - 3_600_000).toUTCString() },
      },
      'the clock of this machine is off by 6',
    ],
  ] as const)('%s', async ([, fault, sentence]) => {
    const url = server.newUrl()
    server.fail(() => fault)
    await expect(openAt(url)).rejects.toThrow(sentence)
  })

  it('nothing listens', async () => {
    await expect(openAt('s3://bucket?endpoint=http://127.0.0.1:9')).rejects.toThrow(
      'The bucket bucket at http://127.0.0.1:9 does not answer now (ECONNREFUSED).',
    )
  })
})
