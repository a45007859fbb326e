import { inArray } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy } from '../connection/statement.ts'
import type { AssetRow, Tables } from '../tables/tables.ts'

export type NewAsset = Tables['assets']['$inferInsert']

/** Skips an asset whose attempt, kind and position are stored already. */
export async function insertAssets(q: Transaction, rows: NewAsset[]): Promise<void> {
  if (rows.length > 0) await q.sql.insert(q.tables.assets).values(rows).onConflictDoNothing()
}

/** An asset of one project; undefined also when it is another project's. */
export const findAsset = rowBy('assets', 'projectId', 'id')

/** An asset of any project: for the engine, and for the asset route, whose URLs are signed. */
export const findAnyAsset = rowBy('assets', 'id')

/** The assets of some tasks, in order of task, kind, creation and position. */
export async function listAssets(q: Queries, taskIds: readonly string[]): Promise<AssetRow[]> {
  const { assets } = q.tables
  const { taskId, kind, createdAt, position } = assets
  const ofTasks = inArray(taskId, taskIds)
  return q.sql.select().from(assets).where(ofTasks).orderBy(taskId, kind, createdAt, position)
}

/** The subset of these content hashes that an asset refers to. */
export async function findUsed(q: Queries, sha256s: string[]): Promise<Set<string>> {
  const { assets } = q.tables
  const isListed = inArray(assets.sha256, sha256s)
  const rows = await q.sql.selectDistinct({ sha256: assets.sha256 }).from(assets).where(isListed)
  return new Set(rows.map(({ sha256 }) => sha256))
}
