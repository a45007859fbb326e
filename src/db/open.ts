import { systemClock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Database, OnWakeUp } from './connection/database.ts'
import { openPostgresql } from './connection/postgresql.ts'
import { ensureDefaultProject } from './access/projects.ts'
import { openSqlite } from './connection/sqlite.ts'

/** Opens the configured database, migrated: PostgreSQL when there is a URL, else SQLite in the data folder. */
export async function openDatabase(options: {
  databaseUrl: string | null
  dataDir: string
  onWakeUp: OnWakeUp
  log: Logger
}): Promise<Database> {
  const db = options.databaseUrl
    ? await openPostgresql(options.databaseUrl, options.onWakeUp, options.log)
    : openSqlite(options.dataDir, options.onWakeUp)
  await db.tx((q) => ensureDefaultProject(q, systemClock.now()))
  return db
}
