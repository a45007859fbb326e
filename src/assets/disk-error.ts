import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Unavailable } from '../errors.ts'
import { formatBytes } from '../quantity.ts'

const PROBLEMS: Record<string, string> = {
  ENOSPC: 'is on a full disk: free some space or move it',
  EDQUOT: 'is over its disk quota: free some space or raise the quota',
  EROFS: 'is on a read-only disk: remount it writable or choose another folder',
  EACCES: 'is not accessible to this user: change its owner or mode',
  EPERM: 'is not accessible to this user: change its owner or mode',
  ENOTDIR: 'is not a folder, or a parent is a file: choose another path',
  EEXIST: 'is not a folder, or a parent is a file: choose another path',
  EMFILE: 'needs more open files than this process may have: raise `ulimit -n`',
}

/** Images cannot be stored or read: an operator must act, or wait. */
export class StorageError extends Error {
  override name = 'StorageError'
  readonly code: string

  constructor(message: string, code: string, options: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export class DiskError extends StorageError {
  override name = 'DiskError'

  constructor(dir: string, code: string, cause: unknown, problem = PROBLEMS[code] ?? 'cannot be used') {
    super(`The folder ${dir} ${problem} (${code}).`, code, { cause })
  }
}

export async function withDiskErrors<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemErrorCode(error)
    throw code === undefined ? error : new DiskError(dir, code, error)
  }
}

export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** An operator must free space. */
const FULL_DISK_RETRY_MS = 30_000

/** For a client: its file could not be stored. Any error that is not of the storage is returned unchanged. */
export function toUnavailable(error: unknown): unknown {
  const isOfStorage = error instanceof StorageError || systemErrorCode(error) !== undefined
  return isOfStorage
    ? new Unavailable('This server cannot store files now.', FULL_DISK_RETRY_MS, error)
    : error
}

/** Rethrows other errors. */
export function unlessMissing(error: unknown): undefined {
  if (systemErrorCode(error) !== 'ENOENT') throw error
}

/** A noisy 3840x2160 PNG has 25 MB. */
const MIN_FREE_BYTES = 64 * 1024 * 1024

export async function checkFreeSpace(folder: string, neededBytes = 0): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const min = MIN_FREE_BYTES + neededBytes
  if (free < min) {
    const problem = `has ${formatBytes(free)} free; the minimum is ${formatBytes(min)}: free some space or move it`
    throw new DiskError(folder, 'ENOSPC', undefined, problem)
  }
  // statfs reports neither quotas nor read-only disks.
  const file = join(folder, 'free-space')
  await writeFile(file, Buffer.alloc(1024))
  await rm(file, { force: true })
}
