import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Queries, Transaction } from './database.ts'
import { statement } from './statement.ts'
import type { AssetRow, Tables } from './tables.ts'

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

/** An asset of a project; undefined when there is none, or when it is another project's. */
export async function findAsset(q: Queries, projectId: string, id: string): Promise<AssetRow | undefined> {
  const row = await findAnyAsset(q, id)
  return row?.projectId === projectId ? row : undefined
}

/** An asset of whichever project: for the asset route, whose ids cannot be guessed, and for the engine. */
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

/** Whether any asset still points at a stored file. */
export async function isReferenced(q: Queries, sha256: string): Promise<boolean> {
  const { assets } = q.tables
  const rows = await q.sql
    .select({ one: sql`1` })
    .from(assets)
    .where(and(eq(assets.sha256, sha256)))
    .limit(1)
  return rows.length > 0
}
