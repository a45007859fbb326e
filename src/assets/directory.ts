// objects/ab/cd/<sha256>: content; spool/: temporary files on the same disk; `owner`: the id of the database.
import { createHash, randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import {
  access,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock, type Clock } from '../clock.ts'
import { collectUnused } from './collect.ts'
import { checkFreeSpace, systemErrorCode, unlessMissing, withDiskErrors } from './disk-error.ts'
import { createMemoryCache, MAX_CACHED_FILE_BYTES } from './memory-cache.ts'
import { AssetMissing, type AssetStore, type StoredFile } from './store.ts'

const MAX_CACHE_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024
const SHA256 = /^[0-9a-f]{64}$/

/** All methods throw DiskError. `read` returns shared buffers. */
export async function openDirectoryStore(dir: string, clock: Clock = systemClock): Promise<AssetStore> {
  const objects = join(dir, 'objects')
  const spool = join(dir, 'spool')
  const cache = createMemoryCache(MAX_CACHE_BYTES)
  const synced = new Set<string>()
  const onDisk = <T>(work: () => Promise<T>) => withDiskErrors(dir, work)

  await onDisk(async () => {
    await mkdir(objects, { recursive: true })
    await mkdir(spool, { recursive: true })
    await syncFolder(dir)
  })

  function pathOf(sha256: string): string {
    if (!SHA256.test(sha256)) throw new AssetMissing(sha256)
    return join(objects, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  }

  function withFile<T>(sha256: string, work: (path: string) => Promise<T>): Promise<T> {
    return onDisk(async () => {
      try {
        return await work(pathOf(sha256))
      } catch (error) {
        throw systemErrorCode(error) === 'ENOENT' ? new AssetMissing(sha256) : error
      }
    })
  }

  return {
    spool,
    newFile: () => join(spool, randomUUID()),

    put: (file) =>
      onDisk(async () => {
        const { sha256, byteSize, bytes } = await digest(file)
        const target = pathOf(sha256)
        await linkDurably(file, target, byteSize, clock.now())
        const folder = dirname(target)
        if (!synced.has(folder)) {
          await syncFolder(dirname(folder))
          await syncFolder(objects)
          synced.add(folder)
        }
        if (bytes) cache.set(sha256, bytes)
        return { sha256, byteSize }
      }),

    async read(sha256) {
      const cached = cache.get(sha256)
      if (cached) return cached
      const bytes = await withFile(sha256, (path) => readFile(path))
      cache.set(sha256, bytes)
      return bytes
    },

    async open(sha256, range) {
      const handle = await withFile(sha256, (path) => open(path, 'r'))
      return handle.createReadStream({ ...range, highWaterMark: CHUNK_BYTES })
    },

    blob: (sha256, mimeType) =>
      withFile(sha256, async (path) => {
        // openAsBlob calls a missing file an invalid argument.
        await access(path)
        return openAsBlob(path, { type: mimeType })
      }),

    async remove(sha256) {
      if (!SHA256.test(sha256)) return
      cache.delete(sha256)
      await onDisk(() => rm(pathOf(sha256), { force: true }))
    },

    sweep: (ageMs, kept) => onDisk(() => removeOlder(spool, clock.now() - ageMs, kept)),

    touch: (sha256) =>
      onDisk(async () => {
        if (!(await touchFile(pathOf(sha256), clock.now()))) throw new AssetMissing(sha256)
      }),

    collect: (ageMs, collector) =>
      onDisk(() =>
        collectUnused(objects, clock.now() - ageMs, {
          ...collector,
          onRemoved(sha256) {
            cache.delete(sha256)
            return collector.onRemoved(sha256)
          },
        }),
      ),

    claimOwner: (owner) =>
      onDisk(async () => {
        const file = join(dir, 'owner')
        await writeOnce(file, owner)
        return (await readFile(file, 'utf8')) === owner
      }),

    checkFreeSpace: () => onDisk(() => checkFreeSpace(spool)),
  }
}

/** Keeps an existing file. */
export async function writeOnce(file: string, content: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  await writeFile(temporary, content, { flush: true })
  try {
    await link(temporary, file)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Also syncs the file. */
async function digest(file: string): Promise<StoredFile & { bytes?: Buffer }> {
  // Windows cannot sync a read-only handle.
  await using handle = await open(file, 'r+')
  const { size: byteSize } = await handle.stat()
  const hash = createHash('sha256')
  if (byteSize <= MAX_CACHED_FILE_BYTES) {
    const bytes = await handle.readFile()
    await handle.sync()
    return { sha256: hash.update(bytes).digest('hex'), byteSize: bytes.length, bytes }
  }
  const chunks = handle.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES })
  for await (const chunk of chunks) hash.update(chunk)
  await handle.sync()
  return { sha256: hash.digest('hex'), byteSize }
}

async function removeOlder(
  folder: string,
  modifiedBefore: number,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const name of await readdir(folder)) {
    if (kept.has(name)) continue
    const file = join(folder, name)
    const stats = await stat(file).catch(() => undefined)
    if (stats && stats.mtimeMs <= modifiedBefore) await rm(file, { force: true, recursive: true })
  }
}

/** Links a synced file and touches it. Replaces a damaged target: one of another size. */
async function linkDurably(file: string, target: string, byteSize: number, now: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const stats = await stat(target).catch(() => undefined)
  const exists = stats?.size === byteSize && (await touchFile(target, now))
  if (!exists) {
    // A crash leaves old spool files; the link shares their modification time.
    await touchFile(file, now)
    const temporary = `${target}.${randomUUID()}`
    await link(file, temporary)
    await rename(temporary, target)
  }
  // Another process may not have synced its new file yet.
  await syncFolder(dirname(target))
}

/** False if missing. */
async function touchFile(file: string, now: number): Promise<boolean> {
  const touched = utimes(file, now / 1000, now / 1000).then(() => true)
  return (await touched.catch(unlessMissing)) ?? false
}

// Makes names durable: fsync(2).
export async function syncFolder(dir: string): Promise<void> {
  // Windows cannot sync folders; NTFS journals names.
  if (process.platform === 'win32') return
  await using handle = await open(dir, 'r')
  await handle.sync()
}
