import { and, gt, eq, gte, inArray, lt, sql, type SQL } from 'drizzle-orm'
import { ASSET_KINDS } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, type PageRange } from '../connection/keyset.ts'
import { readRanges, readRows } from '../connection/ranges.ts'
import { insertion, rowBy, statement } from '../connection/statement.ts'
import type { AssetRow, Tables } from '../tables/tables.ts'

export type NewAsset = Tables['assets']['$inferInsert']

/** Skips stored ones: same attempt, kind and position. */
export async function insertAssets(q: Transaction, rows: NewAsset[]): Promise<void> {
  const [row] = rows
  if (row && rows.length === 1) await newAsset(q, row)
  else if (row) await q.sql.insert(q.tables.assets).values(rows).onConflictDoNothing()
}

const newAsset = insertion<NewAsset, unknown>('asset', ({ sql: into, tables: { assets } }, values) =>
  into.insert(assets).values(values).onConflictDoNothing(),
)

/** Undefined also for an asset of another project. */
export const findAsset = rowBy('assets', 'projectId', 'id')

/** For the engine and signed URLs. */
export const findAnyAsset = rowBy('assets', 'id')

/** By task, kind, creation and position. */
export async function listAssets(q: Queries, taskIds: readonly string[]): Promise<AssetRow[]> {
  const [taskId] = taskIds
  if (taskId !== undefined && taskIds.length === 1) return assetsOfTask(q, { taskId })
  return inOrder(q, inArray(q.tables.assets.taskId, taskIds))
}

const assetsOfTask = statement<{ taskId: string }, AssetRow[]>('assets_of_task', (q) =>
  inOrder(q, eq(q.tables.assets.taskId, sql.placeholder('taskId'))),
)

function inOrder({ sql: from, tables: { assets } }: Queries, which: SQL) {
  const { taskId, kind, createdAt, position } = assets
  return from.select().from(assets).where(which).orderBy(taskId, kind, createdAt, position)
}

export async function findUsed(q: Queries, sha256s: string[]): Promise<Set<string>> {
  const { assets } = q.tables
  const isListed = inArray(assets.sha256, sha256s)
  const rows = await q.sql.selectDistinct({ sha256: assets.sha256 }).from(assets).where(isListed)
  return new Set(rows.map(({ sha256 }) => sha256))
}

/** In order, each once, after `after`. */
export async function listHashes(q: Queries, after: string, limit: number): Promise<string[]> {
  const { assets } = q.tables
  const rows = await q.sql
    .selectDistinct({ sha256: assets.sha256 })
    .from(assets)
    .where(gt(assets.sha256, after))
    .orderBy(assets.sha256)
    .limit(limit)
  return rows.map(({ sha256 }) => sha256)
}

export interface AssetFilter {
  kinds?: AssetRow['kind'][] | undefined
  /** Inclusive. */
  createdFrom?: number | undefined
  /** Exclusive. */
  createdTo?: number | undefined
}

/** Newest first. */
export function listImages(
  q: Queries,
  projectId: string,
  { kinds = [...ASSET_KINDS], createdFrom: from, createdTo: to }: AssetFilter,
  range: PageRange,
): Promise<AssetRow[]> {
  const { assets } = q.tables
  const { kind: key, createdAt: at, id } = assets
  const isIn = eq(assets.projectId, projectId)
  const ranges = { from: sql`${assets}`, key, keys: kinds, at, id, period: { from, to }, isIn }
  return readRows(
    range,
    (left) => readRanges(q, ranges, true, left),
    (ids) => q.sql.select().from(assets).where(inArray(id, ids)),
  )
}

export function countImages(q: Queries, projectId: string, filter: AssetFilter): Promise<number> {
  return countRows(q, q.tables.assets, matches(q, projectId, filter))
}

function matches(
  { tables: { assets } }: Queries,
  projectId: string,
  { kinds, createdFrom, createdTo }: AssetFilter,
): SQL | undefined {
  return and(
    eq(assets.projectId, projectId),
    kinds && inArray(assets.kind, kinds),
    createdFrom === undefined ? undefined : gte(assets.createdAt, createdFrom),
    createdTo === undefined ? undefined : lt(assets.createdAt, createdTo),
  )
}
