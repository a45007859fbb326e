// Files that can be made again, so the ones unused for longest may go when there are too many.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { onDisk, systemCode } from './disk-error.ts'

interface DiskCache {
  /** The whole file; undefined when it is not there. */
  read(name: string): Promise<Buffer | undefined>
  /** Stores a file under a relative path, then drops the least used files above the limit. */
  write(name: string, bytes: Buffer): Promise<void>
  /** Removes a folder of files; nothing happens when it is not there. */
  removeFolder(name: string): Promise<void>
}

/** A cache in `dir` of at most `maxBytes`. What an earlier process left there is found again and counted. */
export function createDiskCache(dir: string, maxBytes: number): DiskCache {
  let index: Promise<LRUCache<string, number>> | undefined
  const known = () => (index ??= countFiles(dir, maxBytes))

  return {
    read: (name) =>
      onDisk(dir, async () => {
        const bytes = await readFile(join(dir, name)).catch(unlessMissing)
        if (bytes) (await known()).get(name)
        return bytes
      }),

    write: (name, bytes) =>
      onDisk(dir, async () => {
        await writeWhole(join(dir, name), bytes)
        ;(await known()).set(name, bytes.length)
      }),

    removeFolder: (name) => onDisk(dir, () => rm(join(dir, name), { recursive: true, force: true })),
  }
}

async function countFiles(dir: string, maxBytes: number): Promise<LRUCache<string, number>> {
  const index = new LRUCache<string, number>({
    maxSize: maxBytes,
    sizeCalculation: (byteSize) => Math.max(1, byteSize),
    dispose: (_byteSize, name, reason) => {
      // A file that cannot be removed costs space, and the next write says so if that matters.
      if (reason === 'evict') void rm(join(dir, name), { force: true }).catch(() => undefined)
    },
  })
  const names = (await readdir(dir, { recursive: true }).catch(unlessMissing)) ?? []
  const entries = await Promise.all(names.map((name) => entryOf(dir, name)))
  const files = entries.filter((entry) => entry !== undefined).sort((a, b) => a.mtimeMs - b.mtimeMs)
  for (const { name, size } of files) index.set(name, size)
  return index
}

/** Undefined for a folder, and for a file that another process removed meanwhile. */
async function entryOf(
  dir: string,
  name: string,
): Promise<{ name: string; size: number; mtimeMs: number } | undefined> {
  const stats = await stat(join(dir, name)).catch(unlessMissing)
  return stats?.isFile() ? { name, size: stats.size, mtimeMs: stats.mtimeMs } : undefined
}

async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const unfinished = `${file}.${randomUUID()}`
  await mkdir(dirname(file), { recursive: true })
  try {
    // Unless flushed, a power cut could leave the name without the bytes, and that would be served for ever.
    await writeFile(unfinished, bytes, { flush: true })
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

function unlessMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
