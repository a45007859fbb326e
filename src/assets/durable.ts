// Writes that survive a power failure: the content reaches the disk before the name, and the name before the function returns.
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemErrorCode } from './disk-error.ts'

/**
 * Links the synced `file` to `target` on the same disk. Keeps an existing file of the same size: names are content hashes,
 * so only a damaged file differs. Sets the modification time of `target` to `now`, which protects it from collection.
 */
export async function linkDurably(
  file: string,
  target: string,
  byteSize: number,
  now: number,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const exists = (await sizeOf(target)) === byteSize && (await touchFile(target, now))
  if (!exists) {
    // A spool file left by a crash may be old; the link shares its modification time.
    await touchFile(file, now)
    // `link` does not replace a damaged target; `rename` does, atomically.
    const temporary = `${target}.${randomUUID()}`
    await link(file, temporary)
    await rename(temporary, target)
  }
  // Also for an existing file: another process may not have synced it yet.
  await syncFolder(dirname(target))
}

/** Sets the modification time; false if the file does not exist. */
export async function touchFile(file: string, now: number): Promise<boolean> {
  try {
    await utimes(file, now / 1000, now / 1000)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Makes new names in a folder durable: https://man7.org/linux/man-pages/man2/fsync.2.html. */
export async function syncFolder(dir: string): Promise<void> {
  // Windows cannot sync folders; NTFS journals names.
  if (process.platform === 'win32') return
  await using handle = await open(dir, 'r')
  await handle.sync()
}

async function sizeOf(file: string): Promise<number | undefined> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.size
}
