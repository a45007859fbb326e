// fsync(2): a file is durable once it and the folder that names it are.
import { close, fsync, open } from 'node:fs'

/** The sync in progress, and the one that follows. */
interface Syncs {
  running: Promise<void>
  next: Promise<void> | undefined
}

const folders = new Map<string, Syncs>()

/** With callbacks: file handles cost several times as much, and each task syncs five files and folders. */
export function syncFile(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (missing, file) => {
      if (missing) return reject(missing)
      fsync(file, (failed) => {
        close(file, (unclosed) => {
          const error = failed ?? unclosed
          if (error) reject(error)
          else resolve()
        })
      })
    })
  })
}

/**
 * Makes the names in a folder durable. Calls that arrive while it is synced share the next sync: the one in progress may
 * have begun before their change.
 */
export function syncFolder(dir: string): Promise<void> {
  // Windows cannot sync folders; NTFS journals names.
  if (process.platform === 'win32') return Promise.resolve()
  const syncs = folders.get(dir)
  if (syncs) return (syncs.next ??= syncs.running.catch(() => {}).then(() => start(dir)))
  return start(dir)
}

function start(dir: string): Promise<void> {
  const syncs: Syncs = { running: syncFile(dir), next: undefined }
  folders.set(dir, syncs)
  const end = () => {
    if (folders.get(dir) === syncs && !syncs.next) folders.delete(dir)
  }
  syncs.running.then(end, end)
  return syncs.running
}
