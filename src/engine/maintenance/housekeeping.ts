// Nothing that only tells how a task went is kept for ever. Tasks, attempts, results, input images and what was decided
// about money stay. All of it is done a little at a time, by every process, without any of them waiting for another.
import { findUsed } from '../../db/tasks/assets.ts'
import {
  findBirth,
  listCallbackEntries,
  listDeliveryEntries,
  listFeedEntries,
  listProjectIds,
  removeCallbacks,
  removeDeliveries,
  removeEvents,
  removePreviews,
  type IndexEntry,
  type FeedRange,
} from '../../db/maintenance/retention.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { Deps } from '../deps.ts'

/** The two duties of keeping the place tidy. Both stop between two small pieces of work once `signal` aborts. */
export interface Housekeeping {
  /** Removes the rows whose time is over. */
  removeRows(signal: AbortSignal): Promise<void>
  /** Removes the files that no row refers to. */
  collectFiles(signal: AbortSignal): Promise<void>
}

/** How many events a transaction may remove. On SQLite every writer waits meanwhile: a few milliseconds. */
const EVENTS_AT_ONCE = 500
/** Fewer, because a delivery has up to twenty tries, and a callback may be long. */
const OTHERS_AT_ONCE = 50
/** Leaves the others their turn. */
const PAUSE_MS = 5

/**
 * How old an unused file must be. What is stored is referred to by a commit that follows within minutes; see
 * assets/collect.ts for how the two keep out of each other's way.
 */
export const UNUSED_FOR_MS = 3_600_000

export function createHousekeeping(
  deps: Pick<Deps, 'clock' | 'db' | 'forget' | 'log' | 'retention' | 'store'>,
): Housekeeping {
  const { db, store, clock, log, retention } = deps
  // How far each project's feed was looked through for previews. Tasks end behind it, and say so there; after a restart
  // it begins anew.
  const seenUpTo = new Map<string, number>()

  /** Goes along an index until a whole batch is younger than `before`. Answers the last key of all that were older. */
  async function along<Key>(
    of: { from: Key; before: number; atOnce: number; signal: AbortSignal },
    list: (after: Key, limit: number) => Promise<IndexEntry<Key>[]>,
    remove: (q: Transaction, batch: IndexEntry<Key>[], after: Key) => Promise<void>,
  ): Promise<Key> {
    let after = of.from
    let olderUpTo = of.from
    let allOlder = true
    while (!of.signal.aborted) {
      const batch = await list(after, of.atOnce)
      const last = batch.at(-1)
      if (!last || batch.every(({ at }) => at >= of.before)) break
      await db.tx((q) => remove(q, batch, after))
      allOlder &&= batch.every(({ at }) => at < of.before)
      if (allOlder) olderUpTo = last.key
      after = last.key
      if (batch.length < of.atOnce) break
      await clock.sleep(PAUSE_MS, of.signal)
    }
    return olderUpTo
  }

  function alongFeed(
    projectId: string,
    of: { from: number; before: number; signal: AbortSignal },
    remove: (q: Transaction, range: FeedRange) => Promise<void>,
  ): Promise<number> {
    return along(
      { ...of, atOnce: EVENTS_AT_ONCE },
      (after, limit) => listFeedEntries(db.read, projectId, after, limit),
      (q, batch, after) =>
        remove(q, { projectId, after, upTo: batch.at(-1)?.key ?? after, endedBefore: of.before }),
    )
  }

  async function removeOfProject(projectId: string, signal: AbortSignal): Promise<void> {
    const { eventsMs, partialImagesMs, deliveriesMs } = retention
    const now = clock.now()
    if (eventsMs !== null) {
      await alongFeed(projectId, { from: 0, before: now - eventsMs, signal }, removeEvents)
    }
    if (partialImagesMs !== null) {
      const from = seenUpTo.get(projectId) ?? 0
      const before = now - partialImagesMs
      seenUpTo.set(projectId, await alongFeed(projectId, { from, before, signal }, removePreviews))
    }
    if (deliveriesMs !== null) {
      const before = now - deliveriesMs
      await along(
        { from: '', before, atOnce: OTHERS_AT_ONCE, signal },
        (after, limit) => listDeliveryEntries(db.read, projectId, after, limit),
        (q, batch) => removeDeliveries(q, keysOf(batch), before),
      )
    }
  }

  return {
    async removeRows(signal) {
      for (const projectId of await listProjectIds(db.read)) await removeOfProject(projectId, signal)
      if (retention.callbacksMs === null) return
      const before = clock.now() - retention.callbacksMs
      await along(
        { from: '', before, atOnce: OTHERS_AT_ONCE, signal },
        (after, limit) => listCallbackEntries(db.read, after, limit),
        (q, batch) => removeCallbacks(q, keysOf(batch), before),
      )
    },

    async collectFiles(signal) {
      if (!(await store.claimOwner(String(await findBirth(db.read))))) {
        log.error('the images lie in a folder of another database; none is removed. See docs/operating.md')
        return
      }
      let removed = 0
      await store.collect(UNUSED_FOR_MS, {
        findUsed: (sha256s) => findUsed(db.read, sha256s),
        async onRemoved(sha256) {
          removed++
          await deps.forget(sha256)
        },
        signal,
      })
      if (removed > 0) log.info({ files: removed }, 'removed files that nothing refers to')
    },
  }
}

function keysOf(batch: IndexEntry<string>[]): string[] {
  return batch.map(({ key }) => key)
}
