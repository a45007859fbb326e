import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { unlessMissing, withDiskErrors } from './disk-error.ts'

/** By relative path. */
export interface RenditionCache {
  read(name: string): Promise<Buffer | undefined>
  write(name: string, bytes: Buffer): Promise<void>
  removeFolder(name: string): Promise<void>
}

/** LRU, earlier processes' files included. */
export function createDiskCache(dir: string, maxBytes: number): RenditionCache {
  let index: Promise<LRUCache<string, number>> | undefined
  const getIndex = () => (index ??= readIndex(dir, maxBytes))

  return {
    read: (name) =>
      withDiskErrors(dir, async () => {
        const bytes = await readFile(join(dir, name)).catch(unlessMissing)
        if (bytes) (await getIndex()).get(name)
        return bytes
      }),

    write: (name, bytes) =>
      withDiskErrors(dir, async () => {
        await writeAtomically(join(dir, name), bytes)
        ;(await getIndex()).set(name, bytes.length)
      }),

    removeFolder: (name) => withDiskErrors(dir, () => rm(join(dir, name), { recursive: true, force: true })),
  }
}

async function readIndex(dir: string, maxBytes: number): Promise<LRUCache<string, number>> {
  const index = new LRUCache<string, number>({
    maxSize: maxBytes,
    sizeCalculation: (byteSize) => Math.max(1, byteSize),
    dispose: (_byteSize, name, reason) => {
      // A failure only costs disk space.
      if (reason === 'evict') void rm(join(dir, name), { force: true }).catch(() => undefined)
    },
  })
  const names = (await readdir(dir, { recursive: true }).catch(unlessMissing)) ?? []
  const entries = await Promise.all(
    names.map(async (name) => ({ name, stats: await stat(join(dir, name)).catch(unlessMissing) })),
  )
  const files = entries.flatMap(({ name, stats }) => (stats?.isFile() ? [{ name, stats }] : []))
  files.sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs)
  for (const { name, stats } of files) index.set(name, stats.size)
  return index
}

async function writeAtomically(file: string, bytes: Buffer): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  await mkdir(dirname(file), { recursive: true })
  try {
    // Without flush, a power failure could leave it empty.
    await writeFile(temporary, bytes, { flush: true })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
