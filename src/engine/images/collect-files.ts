// Stored bytes are removed only here: of deleted images at once, of others when no row refers to them.
import { getDatabaseCreatedAt } from '../../db/maintenance/retention.ts'
import { findUsed } from '../../db/tasks/assets.ts'
import type { Deps } from '../deps.ts'

type FileDeps = Pick<Deps, 'clock' | 'db' | 'log' | 'removeRenditions' | 'store'>

/**
 * Removes files that no row refers to, with their renditions. `only`: these; all by default. Returns the
 * removed ones.
 */
export async function collectFiles(
  { db, log, removeRenditions, store }: Omit<FileDeps, 'clock'>,
  { minAgeMs, only, signal }: { minAgeMs: number; only?: readonly string[]; signal: AbortSignal },
): Promise<Set<string>> {
  const removed = new Set<string>()
  if (!(await store.claimOwner(String(await getDatabaseCreatedAt(db.read))))) {
    log.error('the image folder belongs to another database; no file was removed. See docs/operating.md')
    return removed
  }
  await store.collect(minAgeMs, {
    only,
    findUsed: (sha256s) => findUsed(db.read, sha256s),
    async onRemoved(sha256) {
      removed.add(sha256)
      await removeRenditions(sha256)
    },
    signal,
  })
  return removed
}

/** Another task may have stored the same bytes, and not yet committed. */
export const RECENT_MS = 30_000

/** `exit` ends it between two steps; the hourly collection then removes the rest. */
export function createFileRemoval(deps: FileDeps, exit: AbortSignal) {
  const running = new Set<Promise<void>>()

  async function collect(sha256s: readonly string[]): Promise<string[]> {
    const removed = await collectFiles(deps, { minAgeMs: RECENT_MS, only: sha256s, signal: exit })
    return sha256s.filter((sha256) => !removed.has(sha256))
  }

  async function collectLater(sha256s: readonly string[]): Promise<void> {
    await deps.clock.sleep(RECENT_MS, exit)
    if (!exit.aborted) await collect(sha256s)
  }

  const logFailure = (error: unknown) =>
    deps.log.error({ err: error }, 'removing files of deleted images failed; the hourly collection retries')

  return {
    /** Resolves once renditions and older files are removed. Files of the last 30 seconds follow later. */
    async remove(sha256s: readonly string[]): Promise<void> {
      try {
        for (const sha256 of sha256s) await deps.removeRenditions(sha256)
        const left = await collect(sha256s)
        if (left.length === 0) return
        const later = collectLater(left)
          .catch(logFailure)
          .finally(() => running.delete(later))
        running.add(later)
      } catch (error) {
        // For clients the images are gone.
        logFailure(error)
      }
    },

    async idle(): Promise<void> {
      await Promise.all(running)
    },
  }
}
