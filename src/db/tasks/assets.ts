import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { AssetRow, Tables } from '../tables/tables.ts'

export type NewAsset = Tables['assets']['$inferInsert']

/** Inserts assets; one that is there already (same attempt, kind and position) is left as it is. */
export async function insertAssets(q: Transaction, rows: NewAsset[]): Promise<void> {
  if (rows.length > 0) await q.sql.insert(q.tables.assets).values(rows).onConflictDoNothing()
}

const assetById = statement<{ id: string }, AssetRow[]>('asset_by_id', ({ sql: from, tables: { assets } }) =>
  from
    .select()
    .from(assets)
    .where(eq(assets.id, sql.placeholder('id'))),
)

const assetOfProject = statement<{ id: string; projectId: string }, AssetRow[]>(
  'asset_of_project',
  ({ sql: from, tables: { assets } }) =>
    from
      .select()
      .from(assets)
      .where(and(eq(assets.id, sql.placeholder('id')), eq(assets.projectId, sql.placeholder('projectId')))),
)

/** An asset of a project; undefined when there is none, or when it is another project's. */
export async function findAsset(q: Queries, projectId: string, id: string): Promise<AssetRow | undefined> {
  const [row] = await assetOfProject(q, { id, projectId })
  return row
}

/** An asset of whichever project: for the asset route, whose addresses are signed, and for the engine. */
export async function findAnyAsset(q: Queries, id: string): Promise<AssetRow | undefined> {
  const [row] = await assetById(q, { id })
  return row
}

/** The assets of some tasks, in order of kind, then of creation and position. */
export async function listAssets(q: Queries, taskIds: readonly string[]): Promise<AssetRow[]> {
  const { assets } = q.tables
  return q.sql
    .select()
    .from(assets)
    .where(inArray(assets.taskId, [...taskIds]))
    .orderBy(asc(assets.taskId), asc(assets.kind), asc(assets.createdAt), asc(assets.position))
}

/** Those of some content hashes that any asset refers to. */
export async function findUsed(q: Queries, sha256s: string[]): Promise<Set<string>> {
  const { assets } = q.tables
  const rows = await q.sql
    .selectDistinct({ sha256: assets.sha256 })
    .from(assets)
    .where(inArray(assets.sha256, sha256s))
  return new Set(rows.map(({ sha256 }) => sha256))
}
