const SENTENCES: Record<string, string> = {
  ENOSPC: 'is on a full disk: free some space or move it',
  EDQUOT: 'is over its disk quota: free some space or raise the quota',
  EROFS: 'is on a read-only disk: remount it writable or choose another folder',
  EACCES: 'may not be used by this user: change its owner or mode',
  EPERM: 'may not be used by this user: change its owner or mode',
  ENOTDIR: 'is not a folder, or one above it is a file: choose another path',
  EEXIST: 'is not a folder, or one above it is a file: choose another path',
  EMFILE: 'needs more open files than this process may have: raise `ulimit -n`',
}

/** The disk refused. Says which folder and what to do about it; `cause` is what the operating system said. */
export class DiskError extends Error {
  override name = 'DiskError'
  /** The operating system's word, `ENOSPC` for example. */
  readonly code: string

  constructor(dir: string, code: string, cause: unknown, words = SENTENCES[code] ?? 'cannot be used') {
    super(`The folder ${dir} ${words} (${code}).`, { cause })
    this.code = code
  }
}

/** What `work` resolves to. Throws DiskError when the operating system refused; any other error passes unchanged. */
export async function onDisk<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemCode(error)
    throw code === undefined ? error : new DiskError(dir, code, error)
  }
}

/** `ENOENT` and its kind when the operating system raised the error; undefined for every other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
