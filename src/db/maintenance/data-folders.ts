import { and, desc, eq, lt, ne, sql } from 'drizzle-orm'
import { rowBy } from '../connection/statement.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import type { DataFolderRow } from '../tables/tables.ts'

/** For good: restored backups have the same id. */
export async function getDatabaseId(q: Queries): Promise<string> {
  const [row] = await q.sql.select().from(q.tables.databaseInfo)
  if (!row) throw new Error('The database has no id: the row of the table database_info is missing.')
  return row.id
}

/** Records that a process uses the folder now, and that it is not lost. */
export async function recordDataFolder(
  q: Transaction,
  { id, host }: Pick<DataFolderRow, 'id' | 'host'>,
  { isStart }: { isStart: boolean },
): Promise<void> {
  const { dataFolders } = q.tables
  const seen = { host, lastSeenAt: q.now, ...(isStart && { lostAt: null }) }
  await q.sql
    .insert(dataFolders)
    .values({ id, host, lastSeenAt: q.now })
    .onConflictDoUpdate({ target: dataFolders.id, set: seen })
}

/** Latest seen first. */
export async function listDataFolders(q: Queries): Promise<DataFolderRow[]> {
  const { dataFolders } = q.tables
  return q.sql.select().from(dataFolders).orderBy(desc(dataFolders.lastSeenAt), dataFolders.id)
}

export const findDataFolder = rowBy('dataFolders', 'id')

/** Unused for `unusedMs`, except `own`. */
export async function removeDataFolders(
  q: Transaction,
  { own, unusedMs }: { own: string; unusedMs: number },
): Promise<void> {
  const { dataFolders } = q.tables
  const isUnused = lt(dataFolders.lastSeenAt, sql`${q.now} - ${unusedMs}`)
  await q.sql.delete(dataFolders).where(and(ne(dataFolders.id, own), isUnused))
}

/** Undefined without such a folder. */
export async function setDataFolderLost(q: Transaction, id: string): Promise<DataFolderRow | undefined> {
  const { dataFolders } = q.tables
  const [row] = await q.sql
    .update(dataFolders)
    .set({ lostAt: q.now })
    .where(eq(dataFolders.id, id))
    .returning()
  return row
}
