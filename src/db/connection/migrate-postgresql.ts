// Migrations while processes of the last version use the database.
import { setTimeout as sleep } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client } from 'pg'
import { errorCode } from './error-code.ts'
import { checkVersion, hasNewMigrations, MIGRATIONS } from './migrations.ts'
import { KEEP_ALIVE } from './postgresql-pool.ts'

// Without this lock, processes that start together fail with "duplicate key … pg_type".
const MIGRATION_LOCK = 4_157_220_193
/** Per table. Shorter than `deadlock_timeout`, so that PostgreSQL ends no transactions of other processes. */
const LOCK_TRY_MS = 250
const LOCK_PAUSE_MS = 100
const CONNECT_MS = 10_000
const MAX_LOCK_MS = 120_000
const [LOCK_NOT_AVAILABLE, DEADLOCK] = ['55P03', '40P01']

/** `location`: without the password. Throws DatabaseNewer. */
export async function migratePostgresql(url: string, location: string): Promise<void> {
  const client = new Client({ connectionString: url, ...KEEP_ALIVE, connectionTimeoutMillis: CONNECT_MS })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const applied = await listApplied(client)
    checkVersion(location, applied, MIGRATIONS.postgresql)
    if (!hasNewMigrations(applied, MIGRATIONS.postgresql)) return
    await beginWithAllTables(client)
    // Its own `begin` continues this transaction. After an error, the end of the connection rolls it back.
    await migrate(drizzle({ client }), { migrationsFolder: MIGRATIONS.postgresql })
  } finally {
    await client.end()
  }
}

/**
 * Locks all tables first. Migrations lock them in another order than transactions of other processes, which would
 * deadlock. While a table stays busy, all locks are released and tried again.
 */
async function beginWithAllTables(client: Client): Promise<void> {
  const until = performance.now() + MAX_LOCK_MS
  for (;;) {
    await client.query('begin')
    try {
      const list = await listTables(client)
      await client.query(`set local lock_timeout = ${LOCK_TRY_MS}`)
      if (list !== '') await client.query(`lock table ${list} in access exclusive mode`)
      await client.query('set local lock_timeout = 0')
      return
    } catch (error) {
      await client.query('rollback')
      if (![LOCK_NOT_AVAILABLE, DEADLOCK].includes(errorCode(error)) || performance.now() >= until)
        throw error
      await sleep(LOCK_PAUSE_MS)
    }
  }
}

/** Tasks first, as in most transactions. '' in an empty database. */
async function listTables(client: Client): Promise<string> {
  const { rows } = await client.query<{ list: string | null }>(
    "select string_agg(format('%I', tablename), ', ' order by tablename <> 'tasks', tablename) as list from pg_tables where schemaname = current_schema()",
  )
  return rows[0]?.list ?? ''
}

async function listApplied(client: Client): Promise<string[]> {
  const table = 'drizzle.__drizzle_migrations'
  const { rows: found } = await client.query<{ oid: string | null }>('select to_regclass($1) as oid', [table])
  if (found[0]?.oid == null) return []
  const { rows } = await client.query<{ name: string }>(`select name from ${table}`)
  return rows.map(({ name }) => name)
}
