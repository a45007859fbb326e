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

/** A failure of the disk. Names the folder and the remedy. */
export class DiskError extends Error {
  override name = 'DiskError'
  /** The code of the operating system, such as `ENOSPC`. */
  readonly code: string

  constructor(dir: string, code: string, cause: unknown, problem = PROBLEMS[code] ?? 'cannot be used') {
    super(`The folder ${dir} ${problem} (${code}).`, { cause })
    this.code = code
  }
}

/** Converts errors of the operating system to DiskError; rethrows others. */
export async function withDiskErrors<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemErrorCode(error)
    throw code === undefined ? error : new DiskError(dir, code, error)
  }
}

/** The code of an operating system error, such as `ENOENT`; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
