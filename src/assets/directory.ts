// objects/ab/cd/<sha256>: content; spool/: temporary files on the same disk; `owner`: the id of the database.
import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { link, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock, type Clock } from '../clock.ts'
import { collectUnused } from './collect.ts'
import { digest } from './digest.ts'
import { systemErrorCode, withDiskErrors } from './disk-error.ts'
import { createMemoryCache } from './memory-cache.ts'
import { openSpool } from './spool.ts'
import { AssetMissing, type AssetStore } from './store.ts'
import { syncFolder } from './sync.ts'
import { touchFile } from './touch.ts'

const MAX_CACHE_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024
const SHA256 = /^[0-9a-f]{64}$/

/** All methods throw DiskError. `read` returns shared buffers. */
export async function openDirectoryStore(dir: string, clock: Clock = systemClock): Promise<AssetStore> {
  const objects = join(dir, 'objects')
  const cache = createMemoryCache(MAX_CACHE_BYTES)
  const synced = new Set<string>()
  const onDisk = <T>(work: () => Promise<T>) => withDiskErrors(dir, work)

  await onDisk(async () => {
    await mkdir(objects, { recursive: true })
    await mkdir(join(dir, 'spool'), { recursive: true })
    await syncFolder(dir)
  })
  const spool = await openSpool(join(dir, 'spool'), clock)

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

  /** A new file's folder, and the parents whose entry of it this process has not synced yet. */
  function unsyncedFolders(folder: string): string[] {
    const parent = dirname(folder)
    if (synced.has(folder)) return [folder]
    return synced.has(parent) ? [folder, parent] : [folder, parent, objects]
  }

  return {
    ...spool,

    put: (file, options) =>
      onDisk(async () => {
        const { sha256, bytes, ...stats } = await digest(file, options)
        const target = pathOf(sha256)
        // The first file of its folder.
        if (!synced.has(dirname(target))) await mkdir(dirname(target), { recursive: true })
        await linkTo(target, { path: file, ...stats }, clock.now())
        // Another process may have created a folder or the file and not synced it yet.
        await Promise.all(unsyncedFolders(dirname(target)).map(syncFolder))
        for (const folder of unsyncedFolders(dirname(target))) synced.add(folder)
        if (bytes) cache.set(sha256, bytes)
        return { sha256, byteSize: stats.byteSize }
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
        if (!(await touchFile(path, clock.now()))) throw new AssetMissing(sha256)
        return openAsBlob(path, { type: mimeType })
      }),

    async remove(sha256) {
      if (!SHA256.test(sha256)) return
      cache.delete(sha256)
      await onDisk(() => rm(pathOf(sha256), { force: true }))
    },

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

    withRenditions: (local) => local,
    close: async () => {},
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

/** Of a new file. Files are collected after hours. */
const MAX_AGE_MS = 60_000

/** Links a synced file to `target`. An existing target is touched; a damaged one, of another size, is replaced. */
async function linkTo(
  target: string,
  file: { path: string; modifiedAt: number; byteSize: number },
  now: number,
): Promise<void> {
  // A spool file may be old after a crash; the link shares its times.
  if (Math.abs(now - file.modifiedAt) > MAX_AGE_MS) await touchFile(file.path, now)
  if (await linkNew(file.path, target)) return
  const stats = await stat(target).catch(() => undefined)
  if (stats?.size === file.byteSize && (await touchFile(target, now))) return
  const temporary = `${target}.${randomUUID()}`
  await link(file.path, temporary)
  await rename(temporary, target)
}

/** False when `target` exists. */
async function linkNew(file: string, target: string): Promise<boolean> {
  try {
    await link(file, target)
    return true
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EEXIST') return false
    if (code !== 'ENOENT') throw error
  }
  // The first file of its folder.
  await mkdir(dirname(target), { recursive: true })
  try {
    await link(file, target)
    return true
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    return false
  }
}
