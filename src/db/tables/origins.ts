import type { Kit } from './kit.ts'

/** Where received answers belong: a database, and on disk a data folder. */
export function createOriginTables({ table, text, bigint }: Kit) {
  /** One row, written by the migration. */
  const databaseInfo = table('database_info', {
    /** The same in a restored backup. */
    id: text('id').primaryKey(),
  })

  /** Of processes that use this database. */
  const dataFolders = table('data_folders', {
    /** From a file in the folder. */
    id: text('id').primaryKey(),
    /** That used it last. */
    host: text('host').notNull(),
    /** In the database's time. */
    lastSeenAt: bigint('last_seen_at').notNull(),
    /** When its answers were declared lost, in the database's time. */
    lostAt: bigint('lost_at'),
  })

  return { databaseInfo, dataFolders }
}
