import { systemClock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Database, OnPoke } from './connection/database.ts'
import { openPostgresql } from './connection/postgresql.ts'
import { ensureDefaultProject } from './access/projects.ts'
import { openSqlite } from './connection/sqlite.ts'

/** Opens the configured database, migrated: PostgreSQL when there is a URL, else SQLite in the data folder. */
export async function openDatabase(options: {
  databaseUrl: string | null
  dataDir: string
  onPoke: OnPoke
  log: Logger
}): Promise<Database> {
  const db = options.databaseUrl
    ? await openPostgresql(options.databaseUrl, options.onPoke, options.log)
    : openSqlite(options.dataDir, options.onPoke)
  await db.tx((q) => ensureDefaultProject(q, systemClock.now()))
  return db
}
