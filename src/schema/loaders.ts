import DataLoader from 'dataloader'
import { listAssets } from '../db/tasks/assets.ts'
import { listAttempts } from '../db/attempts/attempts.ts'
import { listDeliveriesOfTasks, listTries } from '../db/webhooks/deliveries.ts'
import type { Database, Queries } from '../db/connection/database.ts'
import { listLines } from '../db/money/ledger.ts'
import type { AssetRow, AttemptRow, DeliveryRow, LedgerRow, TryRow } from '../db/tables/tables.ts'

/** Batched reads of rows by the id of their parent. */
export interface Loaders {
  attempts: DataLoader<string, AttemptRow[]>
  assets: DataLoader<string, AssetRow[]>
  deliveries: DataLoader<string, DeliveryRow[]>
  /** By delivery. */
  tries: DataLoader<string, TryRow[]>
  /** By attempt. */
  lines: DataLoader<string, LedgerRow[]>
}

export function createLoaders(db: Database): Loaders {
  function loader<Row>(
    list: (q: Queries, ids: readonly string[]) => Promise<Row[]>,
    parentOf: (row: Row) => string,
  ): DataLoader<string, Row[]> {
    const load = async (ids: readonly string[]) => {
      const byParent = Map.groupBy(await list(db.read, ids), parentOf)
      return ids.map((id) => byParent.get(id) ?? [])
    }
    // No cache: the context of a subscription lives as long as the subscription, and rows change meanwhile.
    return new DataLoader(load, { cache: false, maxBatchSize: 200 })
  }

  return {
    attempts: loader(listAttempts, ({ taskId }) => taskId),
    assets: loader(listAssets, ({ taskId }) => taskId),
    deliveries: loader(listDeliveriesOfTasks, ({ taskId }) => taskId),
    tries: loader(listTries, ({ deliveryId }) => deliveryId),
    lines: loader(listLines, ({ attemptId }) => attemptId),
  }
}
