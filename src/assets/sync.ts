// fsync(2): a file is durable once it and the folder that names it are.
import { open } from 'node:fs/promises'

/** The sync in progress, and the one that follows. */
interface Syncs {
  running: Promise<void>
  next: Promise<void> | undefined
}

const folders = new Map<string, Syncs>()

export async function syncFile(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
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
