// Writes that survive a power failure.
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemErrorCode } from './disk-error.ts'

/**
 * Links a synced file to `target`, and touches it to prevent its collection. Replaces a damaged target, which has another
 * size, because names are content hashes.
 */
export async function linkDurably(
  file: string,
  target: string,
  byteSize: number,
  now: number,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const stats = await stat(target).catch(() => undefined)
  const exists = stats?.size === byteSize && (await touchFile(target, now))
  if (!exists) {
    // A spool file may be old after a crash; the link shares its modification time.
    await touchFile(file, now)
    // Unlike `link`, `rename` replaces an existing file.
    const temporary = `${target}.${randomUUID()}`
    await link(file, temporary)
    await rename(temporary, target)
  }
  // Another process may have created the file and not synced it yet.
  await syncFolder(dirname(target))
}

/** False if the file does not exist. */
export async function touchFile(file: string, now: number): Promise<boolean> {
  try {
    await utimes(file, now / 1000, now / 1000)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Makes names durable: https://man7.org/linux/man-pages/man2/fsync.2.html. */
export async function syncFolder(dir: string): Promise<void> {
  // Windows cannot sync folders; NTFS journals names.
  if (process.platform === 'win32') return
  await using handle = await open(dir, 'r')
  await handle.sync()
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
