import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes } from '../quantity.ts'
import { DiskError } from './disk-error.ts'

/** What a few of the largest pictures need: 3840x2160 of noise is 25 MB as a PNG. */
const LEAST_FREE_BYTES = 64 * 1024 * 1024
const SAMPLE = Buffer.alloc(1024, 'room ')

/**
 * Throws DiskError ENOSPC when the disk of a folder has less than 64 MB free, and whatever the operating system says to a
 * new file of 1 KB: the first does not know of quotas and of disks that turned read-only, the second not of the size of
 * pictures.
 */
export async function checkRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < LEAST_FREE_BYTES) {
    const words = `has ${formatBytes(free)} free and wants ${formatBytes(LEAST_FREE_BYTES)}: free some space or move it`
    throw new DiskError(folder, 'ENOSPC', undefined, words)
  }
  const file = join(folder, 'room')
  await writeFile(file, SAMPLE)
  // Written anew each time: a file that keeps its space says nothing of the rest.
  await rm(file, { force: true })
}
