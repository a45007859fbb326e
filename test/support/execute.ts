import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import type { Place } from './database.ts'

/** Runs a statement on a database that may be in use. */
export async function execute(place: Place, statement: string): Promise<void> {
  if (place.databaseUrl === null) {
    const db = new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
    db.exec(statement)
    db.close()
    return
  }
  const client = new Client({ connectionString: place.databaseUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}
