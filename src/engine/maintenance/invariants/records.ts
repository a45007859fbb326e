// What must hold of what is kept beside the tasks: files, feeds, keys, deliveries.
import { createHash } from 'node:crypto'
import type { AssetStore } from '../../../assets/store.ts'
import {
  countFeeds,
  listRepeatedKeys,
  listRepeatedRemoteIds,
  type IntegrityPage,
} from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import { isFinished } from '../../../domain.ts'
import { MIN_RETENTION } from '../retention.ts'

/** I7, of feeds. */
export async function feedsAreGapless(q: Queries): Promise<string[]> {
  // Numbers of one project are unique in the table, and each task answers for its own: so their count tells whether one
  // is missing that no task misses.
  return (await countFeeds(q))
    .filter(({ feedSeq, counted, first, last }) => {
      return counted !== feedSeq || (first ?? 1) < 1 || (last ?? 0) > feedSeq
    })
    .map(
      ({ projectId, feedSeq, counted, events, first, last }) =>
        `the feed of ${projectId} is not 1..${feedSeq}: its tasks count ${counted}, and it holds ${events}, from ${first} to ${last}`,
    )
}

/** I10. One file at a time, so that a large store does not fill the memory. */
export async function filesAreWhole({ assets }: IntegrityPage, store: AssetStore): Promise<string[]> {
  const violations: string[] = []
  for (const { id, sha256 } of assets) {
    const hash = createHash('sha256')
    try {
      for await (const chunk of await store.open(sha256)) hash.update(chunk)
      if (hash.digest('hex') !== sha256) violations.push(`the file of ${id} is not what it was`)
    } catch {
      violations.push(`the file of ${id} is not there`)
    }
  }
  return violations
}

/** I12. */
export async function remoteIdsAreUnique(q: Queries): Promise<string[]> {
  return (await listRepeatedRemoteIds(q)).map(
    ({ provider, remoteId }) => `${remoteId} at ${provider} belongs to two attempts`,
  )
}

/** I14. */
export async function keysAreUnique(q: Queries): Promise<string[]> {
  return (await listRepeatedKeys(q)).map(
    ({ projectId, key }) => `the idempotency key ${key} of ${projectId} belongs to two tasks`,
  )
}

/** I18. */
export function endsAreDelivered({ tasks, deliveries, now }: IntegrityPage): string[] {
  const toTasks = Map.groupBy(
    deliveries.filter(({ endpointId }) => endpointId === null),
    ({ taskId }) => taskId,
  )
  return tasks
    .filter(({ request, status }) => request.callbackUrl !== null && isFinished(status))
    .flatMap(({ id, lastSeq, finishedAt }) => {
      const ends = (toTasks.get(id) ?? []).filter(({ seq }) => seq === lastSeq).length
      const isKept = finishedAt === null || finishedAt >= now - MIN_RETENTION.deliveriesMs
      return ends === 1 || (ends === 0 && !isKept)
        ? []
        : [`the end of ${id} is told to its callback address by ${ends} deliveries`]
    })
}
