import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import type { Place } from './database.ts'

/** Lets the time of rests pass at once, until `over`: in life, whoever is queued at a provider at rest waits for minutes. */
export async function hastenRests(place: Place, over: AbortSignal): Promise<void> {
  const statement = 'update provider_rests set until = 1 where until is not null'
  const client = place.databaseUrl === null ? undefined : new Client({ connectionString: place.databaseUrl })
  await client?.connect()
  const sqlite = client ? undefined : new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
  while (!over.aborted) {
    sqlite?.exec(statement)
    await client?.query(statement)
    await pause(EVERY_MS)
  }
  sqlite?.close()
  await client?.end()
}

const EVERY_MS = 50
