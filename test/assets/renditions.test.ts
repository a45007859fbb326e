import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { createRenditions, renditionEtag } from '../../src/assets/renditions.ts'
import { AssetMissing, type AssetStore } from '../../src/assets/store.ts'
import { parseSize } from '../../src/domain.ts'
import { noise } from './images.ts'

let dir: string
let cache: string
let store: AssetStore
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-renditions-'))
  cache = join(dir, 'renditions')
  store = await openDirectoryStore(dir)
})
afterEach(() => rm(dir, { recursive: true }))

async function put(bytes: Buffer): Promise<string> {
  const file = store.newFile()
  await writeFile(file, bytes)
  return (await store.put(file)).sha256
}

function cachedFiles(): string[] {
  if (!existsSync(cache)) return []
  return readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
}

describe('the size', () => {
  it.for<[{ width?: number; height?: number }, string, string]>([
    [{ width: 512, height: 512 }, '1536x1024', '512x341'],
    [{ width: 512 }, '1536x1024', '512x341'],
    [{ height: 512 }, '1536x1024', '768x512'],
    [{ width: 100, height: 4096 }, '1024x1536', '100x150'],
    [{ width: 1 }, '1536x1024', '1x1'],
    [{ width: 1, height: 1 }, '2000x4', '1x1'],
    [{ width: 4096, height: 4096 }, '300x200', '300x200'],
    [{ width: 299 }, '300x200', '299x199'],
  ])('fits %j around %s as %s', async ([spec, from, to]) => {
    const { width, height } = parseSize(from)!
    const sha256 = await put(
      await sharp({ create: { width, height, channels: 3, background: 'plum' } })
        .png()
        .toBuffer(),
    )
    const { bytes } = await createRenditions(store, cache).rendition(sha256, spec)
    const made = await sharp(bytes).metadata()
    expect(`${made.width}x${made.height}`).toBe(to)
  })

  it.for([0, -1, 1.5, 4097, NaN, Infinity])('rejects %d', async (width) => {
    const renditions = createRenditions(store, cache)
    await expect(renditions.rendition('a'.repeat(64), { width })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'width',
      message: `width is ${width}; it must be a whole number from 1 to 4096 (pixels).`,
    })
    await expect(renditions.rendition('a'.repeat(64), { height: width })).rejects.toMatchObject({
      field: 'height',
    })
  })
})

describe('the format', () => {
  it.for([
    ['PNG', 'image/png'],
    ['JPEG', 'image/jpeg'],
    ['WEBP', 'image/webp'],
  ] as const)('is %s if the spec says so', async ([format, mimeType]) => {
    const sha256 = await put(await noise(40, 30, 4).webp().toBuffer())
    const made = await createRenditions(store, cache).rendition(sha256, { width: 20, format })
    expect(made.mimeType).toBe(mimeType)
    expect((await sharp(made.bytes).metadata()).mediaType).toBe(mimeType)
  })

  it('is the format of the original by default', async () => {
    const sha256 = await put(await noise(40, 30).jpeg().toBuffer())
    expect(await createRenditions(store, cache).rendition(sha256, { width: 20 })).toMatchObject({
      mimeType: 'image/jpeg',
    })
  })

  it('has white in place of transparency in a JPEG', async () => {
    const clear = {
      create: { width: 40, height: 30, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    } as const
    const sha256 = await put(await sharp(clear).png().toBuffer())
    const { bytes } = await createRenditions(store, cache).rendition(sha256, { format: 'JPEG' })
    expect([...(await sharp(bytes).raw().toBuffer()).subarray(0, 3)]).toEqual([255, 255, 255])
  })
})

it('returns the original unchanged if nothing differs', async () => {
  const original = await noise(40, 30).jpeg().toBuffer()
  const sha256 = await put(original)
  const renditions = createRenditions(store, cache)
  for (const spec of [
    { width: 40 },
    { width: 4000, height: 4000 },
    { format: 'JPEG' },
    { height: 30, format: 'JPEG' },
  ] as const) {
    expect((await renditions.rendition(sha256, spec)).bytes.equals(original)).toBe(true)
  }
  expect(cachedFiles()).toEqual([])
})

it('has a strong ETag that is known before rendering', async () => {
  const sha256 = await put(await noise(40, 30).png().toBuffer())
  const spec = { width: 20, format: 'WEBP' } as const
  const { etag } = await createRenditions(store, cache).rendition(sha256, spec)
  expect(etag).toBe(renditionEtag(sha256, spec))
  expect(etag).toMatch(/^"[\x21\x23-\x7e]+"$/)
  const others = [{ width: 20 }, { height: 20, format: 'WEBP' }, { width: 20, format: 'PNG' }] as const
  expect(new Set([etag, ...others.map((other) => renditionEtag(sha256, other))]).size).toBe(4)
})

it('renders once for concurrent requests', async () => {
  const sha256 = await put(await noise(600, 400).png().toBuffer())
  const reads = vi.spyOn(store, 'read')
  const renditions = createRenditions(store, cache)
  const made = await Promise.all(
    Array.from({ length: 50 }, () => renditions.rendition(sha256, { width: 64 })),
  )
  expect(new Set(made.map(({ bytes }) => bytes)).size).toBe(1)
  expect(reads).toHaveBeenCalledTimes(1)
})

it('is cached on disk across processes, one file for equivalent specs', async () => {
  const sha256 = await put(await noise(60, 40).png().toBuffer())
  const first = await createRenditions(store, cache).rendition(sha256, { width: 30 })
  const later = createRenditions(store, cache)
  expect((await later.rendition(sha256, { width: 30, height: 20 })).bytes.equals(first.bytes)).toBe(true)
  expect((await later.rendition(sha256, { height: 20, format: 'PNG' })).bytes.equals(first.bytes)).toBe(true)
  expect(cachedFiles()).toHaveLength(1)
})

it('decodes at most two images at a time', async () => {
  const originals = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      noise(700 + i, 700)
        .png()
        .toBuffer(),
    ),
  )
  const hashes = await Promise.all(originals.map(put))
  const renditions = createRenditions(store, cache)
  let most = 0
  sharp.queue.on('change', () => (most = Math.max(most, sharp.counters().process)))
  await Promise.all(hashes.map((sha256) => renditions.rendition(sha256, { width: 64 })))
  sharp.queue.removeAllListeners('change')
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(2)
})

it('is deleted with its asset', async () => {
  const sha256 = await put(await noise(60, 40).png().toBuffer())
  const renditions = createRenditions(store, cache)
  await renditions.rendition(sha256, { width: 30 })
  await store.remove(sha256)
  await renditions.remove(sha256)
  expect(cachedFiles()).toEqual([])
  await expect(renditions.rendition(sha256, { width: 30 })).rejects.toThrow(AssetMissing)
})

it('evicts the least recently used files, including those of an earlier process', async () => {
  const hashes = await Promise.all(
    [1, 2, 3, 4].map(async (n) =>
      put(
        await noise(60 + n, 60)
          .png()
          .toBuffer(),
      ),
    ),
  )
  const before = createRenditions(store, cache)
  const [old, middle] = [
    await before.rendition(hashes[0]!, { width: 30 }),
    await before.rendition(hashes[1]!, { width: 30 }),
  ]
  await utimes(
    join(
      cache,
      hashes[0]!.slice(0, 2),
      hashes[0]!,
      (await readdir(join(cache, hashes[0]!.slice(0, 2), hashes[0]!)))[0]!,
    ),
    1,
    1,
  )

  const maxDiskBytes = old.bytes.length + middle.bytes.length + 100
  const renditions = createRenditions(store, cache, { maxDiskBytes })
  await renditions.rendition(hashes[2]!, { width: 30 })
  const listFiles = () =>
    readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.png'))
  await expect.poll(() => listFiles()).toHaveLength(2)
  expect(listFiles().some((name) => name.includes(hashes[0]!))).toBe(false)
})

it('a damaged original does not affect other renditions', async () => {
  const whole = await noise(300, 300).png().toBuffer()
  const renditions = createRenditions(store, cache)
  const damaged = await put(whole.subarray(0, whole.length / 2))
  const good = await put(whole)
  for (let i = 0; i < 4; i++)
    await expect(renditions.rendition(damaged, { width: 30 })).rejects.toThrow(/png/i)
  expect((await renditions.rendition(good, { width: 30 })).bytes.length).toBeGreaterThan(0)
})
