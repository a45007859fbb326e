// The asset store against OpenStack Swift, which checks signatures. Runs by `npm run swift`.
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openBucket } from '../../../src/assets/s3/bucket.ts'
import { parseS3Url } from '../../../src/assets/s3/settings.ts'
import { openS3Store } from '../../../src/assets/s3/store.ts'
import { systemClock } from '../../../src/clock.ts'
import { startSwift, SWIFT_CREDENTIALS, type SwiftServer } from '../../support/swift-server.ts'
import { testAssetStore } from '../contract.ts'

let server: SwiftServer
beforeAll(async () => {
  for (const [name, value] of Object.entries(SWIFT_CREDENTIALS)) vi.stubEnv(name, value)
  server = await startSwift()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.stop()
})

async function newUrl(prefix = '', parameters = ''): Promise<string> {
  const bucket = `b-${randomUUID()}`
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(server.endpoint)}${parameters}`
}

async function openAt(url: string) {
  const dir = await mkdtemp(join(tmpdir(), 'darkroom-swift-'))
  const bucket = await openBucket(parseS3Url(url), { clock: systemClock, random: Math.random })
  const store = await openS3Store(bucket, { dir, clock: systemClock })
  return {
    store,
    async close() {
      await store.close()
      await rm(dir, { recursive: true })
    },
  }
}

testAssetStore('a bucket of Swift', async () => openAt(await newUrl()))
testAssetStore('a prefix of a bucket of Swift', async () => openAt(await newUrl('some/prefix')))

describe('Swift', () => {
  it('serves presigned URLs with the type and name that were signed, and refuses changed ones', async () => {
    const opened = await openAt(await newUrl('p'))
    const { store } = opened
    onTestFinished(() => opened.close())
    const file = store.newFile()
    const bytes = randomBytes(100_000)
    await writeFile(file, bytes)
    const { sha256 } = await store.put(file)
    const options = { expiresInSeconds: 60, mimeType: 'image/png', disposition: 'inline; filename="a.png"' }
    const url = await store.presign!(sha256, options)
    const response = await fetch(url)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(response.headers.get('content-disposition')).toBe('inline; filename="a.png"')
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    const changed = await fetch(url.replace('image%2Fpng', 'text%2Fhtml'))
    expect([changed.status, await changed.text()]).toEqual([
      403,
      expect.stringContaining('SignatureDoesNotMatch'),
    ])
  })

  it.each([
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'another' }, '', /secret|signature|credential/i],
    ['a wrong region', {}, '&region=eu-west-3', /us-east-1/],
  ])('refuses %s, and the start says so', async (_, env, parameters, sentence) => {
    const url = await newUrl('p', parameters)
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    onTestFinished(() => {
      for (const [name, value] of Object.entries(SWIFT_CREDENTIALS)) vi.stubEnv(name, value)
    })
    await expect(openAt(url)).rejects.toThrow(sentence)
  })

  it('refuses a bucket that does not exist, and the start says so', async () => {
    const url = (await newUrl()).replace('s3://b-', 's3://c-')
    await expect(openAt(url)).rejects.toThrow(/bucket/i)
  })
})
