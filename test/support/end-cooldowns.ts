import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import type { Place } from './database.ts'

/** Ends all cooldowns of providers early until `over` aborts, because tasks would wait minutes for them. */
export async function endCooldownsEarly(place: Place, over: AbortSignal): Promise<void> {
  const statement = 'update provider_cooldowns set until = 1 where until is not null'
  const client = place.databaseUrl === null ? undefined : new Client({ connectionString: place.databaseUrl })
  await client?.connect()
  // Waiting inside SQLite for a process that is stopped would block this one.
  const sqlite = client ? undefined : new BetterSqlite3(join(place.dataDir, 'darkroom.db'), { timeout: 0 })
  while (!over.aborted) {
    unlessBusy(() => sqlite?.exec(statement))
    await client?.query(statement)
    await pause(EVERY_MS)
  }
  sqlite?.close()
  await client?.end()
}

function unlessBusy(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY'))) throw error
  }
}

const EVERY_MS = 200
