// A folder as a store: objects/ab/cd/<sha256> is the content, spool/ what is still being written. Both lie on one disk,
// so that a file gets its final name in one step and nobody ever sees half of one. `owner` names whose content it is.
import { createHash, randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { access, link, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock, type Clock } from '../clock.ts'
import { collectUnused } from './collect.ts'
import { onDisk, systemCode } from './disk-error.ts'
import { renewFile, settleFile, syncFolder } from './durable.ts'
import { createHotCache, HOT_FILE_BYTES } from './memory-cache.ts'
import { checkRoom } from './free-space.ts'
import { AssetMissing, type AssetStore, type StoredFile } from './store.ts'

const HOT_TOTAL_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024
const SHA256 = /^[0-9a-f]{64}$/

/**
 * Opens the store in `dir` and creates what is missing. Files up to 8 MB that were put or read lately are answered from
 * memory, at most 64 MB of them; such a buffer is shared, so do not write to it. Throws DiskError, here and from every
 * method, when the disk is full, read-only or otherwise unwilling.
 */
export async function openDirectoryStore(dir: string, clock: Clock = systemClock): Promise<AssetStore> {
  const objects = join(dir, 'objects')
  const spool = join(dir, 'spool')
  const hot = createHotCache(HOT_TOTAL_BYTES)
  // Folders known to be durable: those of two letters are few and made once.
  const synced = new Set<string>()

  await onDisk(dir, async () => {
    await mkdir(objects, { recursive: true })
    await mkdir(spool, { recursive: true })
    await syncFolder(dir)
  })

  function pathOf(sha256: string): string {
    if (!SHA256.test(sha256)) throw new AssetMissing(sha256)
    return join(objects, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  }

  async function syncAbove(target: string): Promise<void> {
    const folder = dirname(target)
    if (synced.has(folder)) return
    await syncFolder(dirname(folder))
    await syncFolder(objects)
    synced.add(folder)
  }

  return {
    spool,
    newFile: () => join(spool, randomUUID()),

    put: (file) =>
      onDisk(dir, async () => {
        const { sha256, byteSize, bytes } = await digest(file)
        const target = pathOf(sha256)
        await settleFile(file, target, byteSize, clock.now())
        await syncAbove(target)
        if (bytes) hot.set(sha256, bytes)
        return { sha256, byteSize }
      }),

    async read(sha256) {
      const known = hot.get(sha256)
      if (known) return known
      const path = pathOf(sha256)
      const bytes = await present(dir, sha256, () => readFile(path))
      hot.set(sha256, bytes)
      return bytes
    },

    async open(sha256, range) {
      const path = pathOf(sha256)
      const handle = await present(dir, sha256, () => open(path, 'r'))
      return handle.createReadStream({ ...range, highWaterMark: CHUNK_BYTES })
    },

    async blob(sha256, mimeType) {
      const path = pathOf(sha256)
      return present(dir, sha256, async () => {
        // openAsBlob says of a missing file that an argument is invalid: Node 24.
        await access(path)
        return openAsBlob(path, { type: mimeType })
      })
    },

    async remove(sha256) {
      if (!SHA256.test(sha256)) return
      hot.delete(sha256)
      await onDisk(dir, () => rm(pathOf(sha256), { force: true }))
    },

    sweep: (ageMs) => onDisk(dir, () => removeOlder(spool, clock.now() - ageMs)),

    renew: (sha256) =>
      onDisk(dir, async () => {
        if (!(await renewFile(pathOf(sha256), clock.now()))) throw new AssetMissing(sha256)
      }),

    collect: (ageMs, by) =>
      onDisk(dir, () =>
        collectUnused(objects, clock.now() - ageMs, {
          ...by,
          onRemoved(sha256) {
            hot.delete(sha256)
            return by.onRemoved(sha256)
          },
        }),
      ),

    belongsTo: (owner) =>
      onDisk(dir, async () => {
        const mark = join(dir, 'owner')
        await writeOnce(mark, owner)
        return (await readFile(mark, 'utf8')) === owner
      }),

    checkRoom: () => onDisk(dir, () => checkRoom(spool)),
  }
}

/** Makes a file with this content at once; one that is there already stays as it is. */
async function writeOnce(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, content, { flush: true })
  try {
    await link(draft, file)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** The hash of a file whose bytes have reached the disk, and the bytes themselves when they are few. */
async function digest(file: string): Promise<StoredFile & { bytes?: Buffer }> {
  // Writable, because Windows syncs no handle that is not.
  await using handle = await open(file, 'r+')
  const { size: byteSize } = await handle.stat()
  const hash = createHash('sha256')
  if (byteSize <= HOT_FILE_BYTES) {
    const bytes = await handle.readFile()
    await handle.sync()
    return { sha256: hash.update(bytes).digest('hex'), byteSize: bytes.length, bytes }
  }
  for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk)
  }
  await handle.sync()
  return { sha256: hash.digest('hex'), byteSize }
}

async function present<T>(dir: string, sha256: string, work: () => Promise<T>): Promise<T> {
  return onDisk(dir, async () => {
    try {
      return await work()
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? new AssetMissing(sha256) : error
    }
  })
}

async function removeOlder(folder: string, bornBefore: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    // Gone in between: another sweep, or its owner put it into the store.
    const stats = await stat(file).catch(() => undefined)
    if (stats && stats.mtimeMs <= bornBefore) await rm(file, { force: true, recursive: true })
  }
}
