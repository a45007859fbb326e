import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes } from '../quantity.ts'
import { DiskError } from './disk-error.ts'

/** A few of the largest images: a noisy PNG of 3840x2160 has 25 MB. */
const MIN_FREE_BYTES = 64 * 1024 * 1024
const SAMPLE = Buffer.alloc(1024, 'sample ')

/** Throws DiskError if the disk has less than 64 MB free, or is over its quota or read-only. */
export async function checkFreeSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < MIN_FREE_BYTES) {
    const problem = `has ${formatBytes(free)} free; the minimum is ${formatBytes(MIN_FREE_BYTES)}: free some space or move it`
    throw new DiskError(folder, 'ENOSPC', undefined, problem)
  }
  // statfs reports neither quotas nor read-only disks. A new file each time, because an existing one keeps its space.
  const file = join(folder, 'free-space')
  await writeFile(file, SAMPLE)
  await rm(file, { force: true })
}
