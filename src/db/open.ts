import { systemClock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Database, OnWakeUp } from './connection/database.ts'
import { openPostgresql } from './connection/postgresql.ts'
import { ensureDefaultProject } from './access/projects.ts'
import { openSqlite } from './connection/sqlite.ts'
import { storeMissingWords } from './tasks/words.ts'

/** PostgreSQL with a URL, else SQLite. */
export async function openDatabase(options: {
  databaseUrl: string | null
  dataDir: string
  onWakeUp: OnWakeUp
  log: Logger
}): Promise<Database> {
  const db = options.databaseUrl
    ? await openPostgresql(options.databaseUrl, options.onWakeUp, options.log)
    : openSqlite(options.dataDir, options.onWakeUp, options.log)
  await db.tx((q) => ensureDefaultProject(q, systemClock.now()))
  const indexed = await storeMissingWords(db)
  if (indexed > 0) options.log.info({ tasks: indexed }, 'prompts indexed for search')
  return db
}

/** `begin` runs before each transaction, its result after it. */
export function withTransactionTimer(
  db: Database,
  begin: () => (result: 'committed' | 'rolled_back') => void,
): Database {
  return {
    ...db,
    async tx(work) {
      const end = begin()
      try {
        const value = await db.tx(work)
        end('committed')
        return value
      } catch (error) {
        end('rolled_back')
        throw error
      }
    },
  }
}
