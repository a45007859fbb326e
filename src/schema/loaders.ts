import DataLoader from 'dataloader'
import { listAssets } from '../db/tasks/assets.ts'
import { listAttempts } from '../db/attempts/attempts.ts'
import { listDeliveriesOf, listTries } from '../db/webhooks/deliveries.ts'
import type { Database } from '../db/connection/database.ts'
import { listLines } from '../db/money/ledger.ts'
import type { AssetRow, AttemptRow, DeliveryRow, LedgerRow, TryRow } from '../db/tables/tables.ts'

/** Rows that belong to others, asked for one by one and read together. */
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
  // Nothing is remembered between batches: a subscription has one context for its whole life, and must not show what
  // was true at its start.
  const options = { cache: false, maxBatchSize: 200 }
  return {
    attempts: new DataLoader(async (ids) => grouped(ids, await listAttempts(db.read, ids)), options),
    assets: new DataLoader(async (ids) => grouped(ids, await listAssets(db.read, ids)), options),
    deliveries: new DataLoader(async (ids) => grouped(ids, await listDeliveriesOf(db.read, ids)), options),
    tries: new DataLoader(async (ids) => {
      const byDelivery = Map.groupBy(await listTries(db.read, ids), ({ deliveryId }) => deliveryId)
      return ids.map((id) => byDelivery.get(id) ?? [])
    }, options),
    lines: new DataLoader(async (ids) => {
      const byAttempt = Map.groupBy(await listLines(db.read, ids), ({ attemptId }) => attemptId)
      return ids.map((id) => byAttempt.get(id) ?? [])
    }, options),
  }
}

function grouped<Row extends { taskId: string }>(ids: readonly string[], rows: Row[]): Row[][] {
  const byTask = Map.groupBy(rows, ({ taskId }) => taskId)
  return ids.map((id) => byTask.get(id) ?? [])
}
