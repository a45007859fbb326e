// Writes that survive a power cut: the bytes reach the disk before the name does, and the name before we say so.
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from './disk-error.ts'

/**
 * Gives `file`, already synced, the further name `target` on the same disk; its own name stays. A file of the same size
 * that is there already is kept: names are content hashes, so only a damaged one differs, and that one is replaced. In
 * either case `target` is as young as `now`, so that nobody collects it before it is referred to.
 */
export async function settleFile(file: string, target: string, byteSize: number, now: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const isKept = (await sizeOf(target)) === byteSize && (await renewFile(target, now))
  if (!isKept) {
    // What a crash left in the spool may be old. The new name is the same file, so it is young from its first moment.
    await renewFile(file, now)
    // By way of a name of its own, since a link never replaces and a rename does so in one step.
    const own = `${target}.${randomUUID()}`
    await link(file, own)
    await rename(own, target)
  }
  // Also when it was there: whoever put it there may not have reached this line yet.
  await syncFolder(dirname(target))
}

/** Makes a file as young as `now`; false when it is not there. */
export async function renewFile(file: string, now: number): Promise<boolean> {
  try {
    await utimes(file, now / 1000, now / 1000)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Makes a folder's names durable; rename(2) alone does not: https://man7.org/linux/man-pages/man2/fsync.2.html. */
export async function syncFolder(dir: string): Promise<void> {
  // Windows has no such call for folders; NTFS journals names by itself.
  if (process.platform === 'win32') return
  await using handle = await open(dir, 'r')
  await handle.sync()
}

async function sizeOf(file: string): Promise<number | undefined> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.size
}
