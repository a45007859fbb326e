import type { Kit } from './kit.ts'

/** Where received answers belong: to a database, and on disk to a data folder. */
export function createOriginTables({ table, text, bigint }: Kit) {
  /** One row, written by the migration that creates the table. */
  const databaseInfo = table('database_info', {
    /** A backup and its restored copy have the same id. */
    id: text('id').primaryKey(),
  })

  /** Data folders of processes that use this database. */
  const dataFolders = table('data_folders', {
    /** From a file in the folder. */
    id: text('id').primaryKey(),
    /** Name of the machine that used it last. */
    host: text('host').notNull(),
    /** In the database's time. */
    lastSeenAt: bigint('last_seen_at').notNull(),
    /** When an operator declared its received answers lost, in the database's time. */
    lostAt: bigint('lost_at'),
  })

  return { databaseInfo, dataFolders }
}
