import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import type { Place } from './database.ts'

/** Ends all cooldowns of providers early until `over` aborts, because tasks would wait minutes for them. */
export async function endCooldownsEarly(place: Place, over: AbortSignal): Promise<void> {
  const statement = 'update provider_cooldowns set until = 1 where until is not null'
  const { databaseUrl } = place
  let client: Client | undefined
  // Waiting inside SQLite for a process that is stopped would block this one.
  const sqlite =
    databaseUrl === null ? new BetterSqlite3(join(place.dataDir, 'darkroom.db'), { timeout: 0 }) : undefined
  while (!over.aborted) {
    unlessBusy(() => sqlite?.exec(statement))
    if (databaseUrl !== null) client = await query(client ?? databaseUrl, statement)
    await pause(EVERY_MS)
  }
  sqlite?.close()
  await client?.end()
}

/** Returns a connection for the next query; undefined while the server is down. */
async function query(on: Client | string, statement: string): Promise<Client | undefined> {
  const client = typeof on === 'string' ? new Client({ connectionString: on }) : on
  try {
    if (typeof on === 'string') await client.on('error', () => undefined).connect()
    await client.query(statement)
    return client
  } catch {
    await client.end().catch(() => undefined)
    return undefined
  }
}

function unlessBusy(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY'))) throw error
  }
}

const EVERY_MS = 200
