// What stores other than AWS trip over: the form of every request in the life of images. docs/storage.md lists all of it.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { BUCKET_TUNING, openBucket } from '../../../src/assets/s3/bucket.ts'
import { collectUnused } from '../../../src/assets/s3/collect.ts'
import { parseS3Url } from '../../../src/assets/s3/settings.ts'
import { openS3Store } from '../../../src/assets/s3/store.ts'
import { S3_CREDENTIALS, startS3Server, type S3Server } from '../../support/s3-server.ts'

let server: S3Server
beforeAll(async () => {
  for (const [name, value] of Object.entries(S3_CREDENTIALS)) vi.stubEnv(name, value)
  server = await startS3Server()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

/** Without those of the test, which creates the bucket. */
const listSent = () => server.requests.filter(({ headers }) => 'amz-sdk-invocation-id' in headers)

const PRESIGNED = { expiresInSeconds: 300, mimeType: 'image/svg+xml', disposition: 'attachment' }

async function openAt(url: string) {
  const dir = await mkdtemp(join(tmpdir(), 'darkroom-s3-'))
  const bucket = await openBucket(parseS3Url(url), {
    clock: systemClock,
    random: Math.random,
    tuning: { ...BUCKET_TUNING, pauseMs: 5, connections: 8 },
  })
  onTestFinished(async () => {
    await bucket.close()
    await rm(dir, { recursive: true })
  })
  const store = await openS3Store(bucket, { dir, clock: systemClock })
  const put = async (bytes: Buffer) => {
    const file = store.newFile()
    await writeFile(file, bytes)
    return (await store.put(file)).sha256
  }
  return { bucket, store, put }
}

describe('requests in the life of images', () => {
  it('need no bulk deletion, multipart upload, condition or bucket operation, and are signed when they are sent', async () => {
    const url = server.newUrl('pictures')
    server.requests.length = 0
    let left = 1
    const { bucket, store, put } = await openAt(url)
    server.fail(({ path, method }) =>
      method === 'PUT' && path.includes('/objects/') && left-- > 0
        ? { status: 503, code: 'SlowDown' }
        : undefined,
    )
    const sha256 = await put(randomBytes(20_000_000))
    server.fail()
    await store.read(sha256)
    await store.remove(await put(randomBytes(1000)))
    await collectUnused(bucket, Date.now() + 60_000, {
      findUsed: async () => new Set([sha256]),
      onRemoved: async () => {},
      signal: new AbortController().signal,
    })
    const sent = listSent().map(({ method, path, query, headers }) => ({
      what: `${method} ${path.split('/').length > 2 && path.split('/')[2] !== '' ? 'object' : 'bucket'}${query}`,
      headers,
    }))
    const kinds = new Set(
      sent.map(({ what }) => what.replace(/\?.*list-type=2.*/, '?list').replace(/\?x-id=\w+/, '')),
    )
    expect([...kinds].toSorted()).toEqual([
      'DELETE object',
      'GET bucket?list',
      'GET object',
      'HEAD object',
      'PUT object',
    ])
    for (const { headers } of sent) {
      expect(Object.keys(headers).filter((name) => /^if-|acl|md5|checksum|trailer/.test(name))).toEqual([])
      // A front end may rewrite it.
      expect(headers.authorization).not.toContain('accept-encoding')
    }
    // Each try has its own time.
    const puts = sent.filter(
      ({ what, headers }) => what.startsWith('PUT') && headers['content-length'] === '20000000',
    )
    expect(puts).toHaveLength(2)
    expect(puts[0]!.headers['amz-sdk-invocation-id']).not.toBe(puts[1]!.headers['amz-sdk-invocation-id'])
  })

  it('begin with one key below the prefix, and with no question about the bucket', async () => {
    const url = server.newUrl('pictures')
    server.requests.length = 0
    await openAt(url)
    const sent = listSent()
    expect(sent.map(({ method }) => method)).toEqual(['PUT', 'GET', 'DELETE', 'HEAD'])
    expect(new Set(sent.map(({ path }) => path)).size).toBe(1)
    expect(sent[0]!.path).toMatch(/^\/[\w-]+\/pictures\//)
  })

  it('go on after many bodies that are not read, with fewer connections', async () => {
    const { store, put } = await openAt(server.newUrl())
    const sha256 = await put(randomBytes(1_000_000))
    for (let nth = 0; nth < 50; nth++) (await store.open(sha256)).destroy()
    expect((await store.read(sha256)).length).toBe(1_000_000)
  })
})

async function presignAt(parameters: string): Promise<URL> {
  const bucket = await openBucket(parseS3Url(`s3://pictures/a?region=eu-west-1${parameters}`), {
    clock: systemClock,
    random: Math.random,
  })
  onTestFinished(() => bucket.close())
  return new URL(await bucket.presign('objects/aa', PRESIGNED))
}

describe('presigned URLs', () => {
  it.each([
    ['', 'pictures.s3.eu-west-1.amazonaws.com', '/a/objects/aa'],
    ['&pathStyle=true', 's3.eu-west-1.amazonaws.com', '/pictures/a/objects/aa'],
    ['&endpoint=http://store:9000', 'store:9000', '/pictures/a/objects/aa'],
    ['&endpoint=http://store:9000&pathStyle=false', 'pictures.store:9000', '/a/objects/aa'],
    [
      '&endpoint=http://store:9000&publicEndpoint=https://images.example.com',
      'images.example.com',
      '/pictures/a/objects/aa',
    ],
  ])('with %s have the host %s', async (parameters, host, pathname) => {
    const url = await presignAt(parameters)
    expect([url.host, url.pathname]).toEqual([host, pathname])
  })

  it('have our type and disposition, and no checksum of an empty body', async () => {
    const { searchParams } = await presignAt('')
    expect(searchParams.get('response-content-type')).toBe('image/svg+xml')
    expect(searchParams.get('response-content-disposition')).toBe('attachment')
    expect([...searchParams.keys()].filter((name) => /checksum|crc/i.test(name))).toEqual([])
  })
})
