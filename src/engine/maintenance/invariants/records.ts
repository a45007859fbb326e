import { createHash } from 'node:crypto'
import type { AssetStore } from '../../../assets/store.ts'
import type { IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'
import { listRepeatedKeys, listRepeatedRemoteIds } from '../../../db/maintenance/integrity-pages.ts'
import { isFinished } from '../../../domain.ts'
import { MIN_RETENTION } from '../retention.ts'
import { ensure, type Invariant } from './invariant.ts'

export const RECORD_INVARIANTS: readonly Invariant[] = [
  {
    id: 'I23',
    sentence: 'A deleted task has no prompt, image, address or delivery',
    checkPage({ tasks, attempts, assets, addresses, deliveries }) {
      const deleted = new Set(tasks.flatMap(({ id, deletedAt }) => (deletedAt === null ? [] : id)))
      const ofDeleted = attempts.flatMap(({ id, taskId }) => (deleted.has(taskId) ? id : []))
      const left = [
        ...tasks.filter(({ id, request }) => deleted.has(id) && request.prompt !== ''),
        ...assets.filter(({ taskId }) => deleted.has(taskId)),
        ...deliveries.filter(({ taskId }) => taskId !== null && deleted.has(taskId)),
      ].map(({ id }) => `${id} is left of a deleted task`)
      const ids = new Set(ofDeleted)
      const leftAddresses = addresses.filter(({ attemptId }) => ids.has(attemptId))
      return [
        ...left,
        ...leftAddresses.map(({ attemptId }) => `${attemptId} has an address; its task is deleted`),
      ]
    },
  },
  { id: 'I10', sentence: 'Every recorded image is in the store, byte for byte', checkPage: checkFiles },
  {
    id: 'I12',
    sentence: 'A remote id belongs to one attempt',
    checkAll: async (q) =>
      (await listRepeatedRemoteIds(q)).map(
        ({ provider, remoteId }) => `${remoteId} at ${provider} belongs to two attempts`,
      ),
  },
  {
    id: 'I14',
    sentence: 'An idempotency key belongs to one task',
    checkAll: async (q) =>
      (await listRepeatedKeys(q)).map(
        ({ projectId, key }) => `the idempotency key ${key} of ${projectId} belongs to two tasks`,
      ),
  },
  {
    id: 'I18',
    sentence: 'The end of a task has one delivery to its callback URL',
    checkPage({ tasks, deliveries, now }) {
      const toCallbackUrls = deliveries.filter(({ endpointId }) => endpointId === null)
      const deliveriesOf = Map.groupBy(toCallbackUrls, ({ taskId }) => taskId)
      return tasks
        .filter(({ request, status }) => request.callbackUrl !== null && isFinished(status))
        .flatMap(({ id, lastSeq, finishedAt }) => {
          const count = (deliveriesOf.get(id) ?? []).filter(({ seq }) => seq === lastSeq).length
          const isKept = finishedAt === null || finishedAt >= now - MIN_RETENTION.deliveriesMs
          const violation = `the end of ${id} has ${count} deliveries to its callback URL`
          return ensure(count === 1 || (count === 0 && !isKept), violation)
        })
    },
  },
]

/** One at a time, streamed: bounds memory. */
async function checkFiles(
  { assets }: IntegrityPage,
  store: AssetStore,
  isRead: () => boolean,
): Promise<string[]> {
  const violations: string[] = []
  for (const { id, sha256 } of assets) {
    if (!isRead()) continue
    const hash = createHash('sha256')
    try {
      for await (const chunk of await store.open(sha256)) hash.update(chunk)
      if (hash.digest('hex') !== sha256) violations.push(`the file of ${id} is damaged`)
    } catch {
      violations.push(`the file of ${id} is missing`)
    }
  }
  return violations
}
