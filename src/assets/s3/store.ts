// objects/ab/cd/<sha256>: content; touched/, aside/: see collect.ts; renditions/<sha256>/…; `owner`: the id of the
// database. Temporary files stay on this machine.
import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../clock.ts'
import { digest } from '../digest.ts'
import type { RenditionCache } from '../disk-cache.ts'
import { systemErrorCode, withDiskErrors } from '../disk-error.ts'
import { ImageRejected, MIME_TYPES, sniffFormat } from '../format.ts'
import { createMemoryCache } from '../memory-cache.ts'
import { openSpool } from '../spool.ts'
import { AssetMissing, type AssetStore } from '../store.ts'
import { touchFile } from '../touch.ts'
import { ObjectMissing, type Bucket } from './bucket.ts'
import { collectUnused } from './collect.ts'
import { CHECK, isHash, objectKey, OWNER, renditionKey, touchKey } from './keys.ts'

const MAX_CACHE_BYTES = 32 * 1024 * 1024
/** Between checks of an idle store. */
const CHECK_INTERVAL_MS = 10_000
/** After this time without a success, the store is checked too: a request may wait a minute. */
const SLOW_MS = 5_000
const CHECK_TIMEOUT_MS = 5_000
const SNIFF_BYTES = 512

interface S3StoreOptions {
  /** Folder of temporary files. */
  dir: string
  clock: Clock
}

/** All methods throw S3Error and DiskError. `read` returns shared buffers. */
export async function openS3Store(bucket: Bucket, { dir, clock }: S3StoreOptions): Promise<AssetStore> {
  const spool = await openSpool(dir, clock)
  const cache = createMemoryCache(MAX_CACHE_BYTES)
  const checkName = `${CHECK}${randomUUID()}`
  let provenAt = clock.monotonic()
  /** Unfinished ones. */
  const requests = new Set<{ startedAt: number }>()
  await bucket.check(checkName)

  /** A success proves that the store takes objects; after a failure, the next check asks it. */
  async function storing<T>(work: () => Promise<T>): Promise<T> {
    const request = { startedAt: clock.monotonic() }
    requests.add(request)
    try {
      const result = await work()
      provenAt = clock.monotonic()
      return result
    } catch (error) {
      provenAt = -Infinity
      throw error
    } finally {
      requests.delete(request)
    }
  }

  function isProven(): boolean {
    const now = clock.monotonic()
    const waitsSince = Math.max(provenAt, Math.min(now, ...[...requests].map(({ startedAt }) => startedAt)))
    return now - provenAt < CHECK_INTERVAL_MS && now - waitsSince < SLOW_MS
  }

  async function getOrMissing(sha256: string, range?: { start: number; end: number }) {
    if (!isHash(sha256)) throw new AssetMissing(sha256)
    try {
      return await bucket.get(objectKey(sha256), range)
    } catch (error) {
      throw error instanceof ObjectMissing ? new AssetMissing(sha256) : error
    }
  }

  async function touch(sha256: string): Promise<void> {
    const nothing = Buffer.alloc(0)
    await storing(() =>
      bucket.put(touchKey(sha256), { open: () => nothing, byteSize: 0, mimeType: 'text/plain' }),
    )
  }

  return {
    ...spool,

    async put(file, { content } = {}) {
      // The store is durable: the local file need not be.
      const { sha256, byteSize, bytes } = await digest(file, { isSynced: Promise.resolve(true), content })
      await touch(sha256)
      const existing = await bucket.head(objectKey(sha256))
      if (existing?.byteSize !== byteSize) {
        const mimeType = mimeTypeOf(bytes ?? (await readStart(file)))
        await storing(() =>
          bucket.put(objectKey(sha256), { open: () => bytes ?? createReadStream(file), byteSize, mimeType }),
        )
      }
      if (bytes) cache.set(sha256, bytes)
      return { sha256, byteSize }
    },

    async read(sha256) {
      const cached = cache.get(sha256)
      if (cached) return cached
      const bytes = await buffer(await getOrMissing(sha256))
      cache.set(sha256, bytes)
      return bytes
    },

    open: getOrMissing,

    async blob(sha256, mimeType) {
      if (!isHash(sha256)) throw new AssetMissing(sha256)
      // Retries send the same file; `sweep` deletes it.
      const file = join(spool.spool, `copy-${sha256}`)
      if (!(await touchFile(file, clock.now()))) {
        const partial = spool.newFile()
        await withDiskErrors(dir, async () => {
          try {
            await pipeline(await getOrMissing(sha256), createWriteStream(partial))
            // A parallel call may have made the copy that its Blob needs.
            await link(partial, file).catch(unlessExists)
            await touchFile(file, clock.now())
          } finally {
            await rm(partial, { force: true })
          }
        })
      }
      return openAsBlob(file, { type: mimeType })
    },

    async remove(sha256) {
      if (!isHash(sha256)) return
      cache.delete(sha256)
      await rm(join(spool.spool, `copy-${sha256}`), { force: true })
      await bucket.remove(objectKey(sha256))
    },

    async touch(sha256) {
      if (!isHash(sha256)) throw new AssetMissing(sha256)
      await touch(sha256)
      if (!(await bucket.head(objectKey(sha256)))) throw new AssetMissing(sha256)
    },

    collect: (ageMs, collector) =>
      collectUnused(bucket, clock.now() - ageMs, {
        ...collector,
        onRemoved(sha256) {
          cache.delete(sha256)
          return collector.onRemoved(sha256)
        },
      }),

    async claimOwner(owner) {
      const stored = await readText(bucket, OWNER)
      if (stored !== undefined) return stored === owner
      const bytes = Buffer.from(owner)
      await bucket.put(OWNER, { open: () => bytes, byteSize: bytes.length, mimeType: 'text/plain' })
      return (await readText(bucket, OWNER)) === owner
    },

    async checkFreeSpace(neededBytes) {
      await spool.checkFreeSpace(neededBytes)
      if (isProven()) return
      const bytes = Buffer.from('a test of this store')
      const object = { open: () => bytes, byteSize: bytes.length, mimeType: 'text/plain' }
      await storing(() => bucket.put(`${CHECK}storing`, object, { retries: 0, timeoutMs: CHECK_TIMEOUT_MS }))
    },

    withRenditions: (local) => createSharedCache(bucket, local),
    presign: (sha256, options) => bucket.presign(objectKey(sha256), options),
    close: () => bucket.close(),
  }
}

/** Made once for all processes; kept locally too. */
function createSharedCache(bucket: Bucket, local: RenditionCache): RenditionCache {
  return {
    async read(name) {
      const own = await local.read(name)
      if (own) return own
      try {
        const bytes = await buffer(await bucket.get(renditionKey(name)))
        await local.write(name, bytes)
        return bytes
      } catch (error) {
        if (error instanceof ObjectMissing) return undefined
        throw error
      }
    },

    async write(name, bytes) {
      await local.write(name, bytes)
      await bucket.put(renditionKey(name), {
        open: () => bytes,
        byteSize: bytes.length,
        mimeType: mimeTypeOf(bytes),
      })
    },

    async removeFolder(name) {
      await local.removeFolder(name)
      for await (const { key } of bucket.list(`${renditionKey(name)}/`)) await bucket.remove(key)
    },
  }
}

async function readText(bucket: Bucket, key: string): Promise<string | undefined> {
  try {
    return (await buffer(await bucket.get(key))).toString()
  } catch (error) {
    if (error instanceof ObjectMissing) return undefined
    throw error
  }
}

/** By its bytes: the declared type may be wrong. */
function mimeTypeOf(start: Buffer): string {
  try {
    return MIME_TYPES[sniffFormat(start)]
  } catch (error) {
    if (error instanceof ImageRejected) return 'application/octet-stream'
    throw error
  }
}

async function readStart(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r')
  const { buffer: start, bytesRead } = await handle.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
  return start.subarray(0, bytesRead)
}

function unlessExists(error: unknown): void {
  if (systemErrorCode(error) !== 'EEXIST') throw error
}
