// Small transactions, in every process, so that no writer waits long.
import { listAllProjects } from '../../db/access/projects.ts'
import { removeDataFolders } from '../../db/maintenance/data-folders.ts'
import {
  listCallbackEntries,
  listDeliveryEntries,
  listExpiredTasks,
  listFeedEntries,
  removeCallbacks,
  removeDeliveries,
  removeEvents,
  removePartialImages,
  type FeedRange,
  type IndexEntry,
} from '../../db/maintenance/retention.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { ProjectRow } from '../../db/tables/tables.ts'
import type { Deps } from '../deps.ts'
import { collectFiles, RECENT_MS } from '../images/collect-files.ts'
import { deleteExpiredTask, discardFiles } from '../images/delete-task.ts'
import { effectiveRetention } from './retention.ts'

/** Per transaction; SQLite's writers wait meanwhile. */
const EVENT_BATCH = 500
/** Deliveries have up to twenty tries; callbacks may be long. */
const BATCH = 50
/** Lets other writers in. */
const PAUSE_MS = 5

/** Commits refer to new files within minutes; see assets/collect.ts. */
export const UNUSED_FOR_MS = 3_600_000

interface Scan<Key> {
  from: Key
  before: number
  signal: AbortSignal
}

/** The folder is no longer listed. Its answers stay usable. */
const FOLDER_UNUSED_MS = 90 * 86_400_000

/** `signal` stops both between two steps. */
export function createHousekeeping(deps: Deps) {
  const { db, clock, retention } = deps
  // Per project, the position in its feed up to which partial images are removed. Tasks end after it, with an
  // event after it.
  const scannedUpTo = new Map<string, number>()

  /** Stops when a whole batch is newer than `before`. Returns the last key with nothing newer before it. */
  async function scan<Key>(
    { from, before, signal, limit }: Scan<Key> & { limit: number },
    list: (after: Key, limit: number) => Promise<IndexEntry<Key>[]>,
    remove: (q: Transaction, batch: IndexEntry<Key>[], after: Key) => Promise<void>,
  ): Promise<Key> {
    let after = from
    let olderUpTo = from
    let isAllOlder = true
    while (!signal.aborted) {
      const batch = await list(after, limit)
      const last = batch.at(-1)
      if (!last || batch.every(({ at }) => at >= before)) break
      await db.tx((q) => remove(q, batch, after))
      isAllOlder &&= batch.every(({ at }) => at < before)
      if (isAllOlder) olderUpTo = last.key
      after = last.key
      if (batch.length < limit) break
      await clock.sleep(PAUSE_MS, signal)
    }
    return olderUpTo
  }

  function scanFeed(
    projectId: string,
    of: Scan<number>,
    remove: (q: Transaction, range: FeedRange) => Promise<void>,
  ): Promise<number> {
    return scan(
      { ...of, limit: EVENT_BATCH },
      (after, limit) => listFeedEntries(db.read, { projectId, after, limit }),
      (q, batch, after) =>
        remove(q, { projectId, after, upTo: batch.at(-1)?.key ?? after, endedBefore: of.before }),
    )
  }

  async function removeTasks(projectId: string, before: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const expired = await listExpiredTasks(db.read, { projectId, before, limit: BATCH })
      const sha256s: string[] = []
      for (const task of expired) {
        if (signal.aborted) break
        const left = await deleteExpiredTask(deps, task)
        if (left) await discardFiles(deps, left)
        sha256s.push(...(left?.sha256s ?? []))
      }
      if (sha256s.length > 0) await collectFiles(deps, { minAgeMs: RECENT_MS, only: sha256s, signal })
      if (expired.length < BATCH) return
      await clock.sleep(PAUSE_MS, signal)
    }
  }

  async function removeOfProject(project: ProjectRow, signal: AbortSignal): Promise<void> {
    const { id: projectId } = project
    const { tasksMs, eventsMs, partialImagesMs, deliveriesMs } = effectiveRetention(
      retention,
      project.retention,
    )
    const now = clock.now()
    if (tasksMs !== null) await removeTasks(projectId, now - tasksMs, signal)
    if (eventsMs !== null) {
      await scanFeed(projectId, { from: 0, before: now - eventsMs, signal }, removeEvents)
    }
    if (partialImagesMs !== null) {
      const from = scannedUpTo.get(projectId) ?? 0
      const of = { from, before: now - partialImagesMs, signal }
      scannedUpTo.set(projectId, await scanFeed(projectId, of, removePartialImages))
    }
    if (deliveriesMs !== null) {
      const before = now - deliveriesMs
      await scan(
        { from: '', before, limit: BATCH, signal },
        (after, limit) => listDeliveryEntries(db.read, projectId, after, limit),
        (q, batch) => removeDeliveries(q, keysOf(batch), before),
      )
    }
  }

  return {
    async removeRows(signal: AbortSignal): Promise<void> {
      for (const project of await listAllProjects(db.read)) await removeOfProject(project, signal)
      if (signal.aborted) return
      await db.tx((q) => removeDataFolders(q, { own: deps.dataFolderId, unusedMs: FOLDER_UNUSED_MS }))
      if (retention.callbacksMs === null) return
      const before = clock.now() - retention.callbacksMs
      await scan(
        { from: '', before, limit: BATCH, signal },
        (after, limit) => listCallbackEntries(db.read, after, limit),
        (q, batch) => removeCallbacks(q, keysOf(batch), before),
      )
    },

    async collectFiles(signal: AbortSignal): Promise<void> {
      const { size: files } = await collectFiles(deps, { minAgeMs: UNUSED_FOR_MS, signal })
      if (files > 0) deps.log.info({ files }, 'unused files removed')
    },
  }
}

function keysOf(batch: IndexEntry<string>[]): string[] {
  return batch.map(({ key }) => key)
}
