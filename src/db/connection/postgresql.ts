import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client, Pool, type PoolClient } from 'pg'
import type { Logger } from '../../log.ts'
import { createPostgresqlCounter } from './rate-counter.ts'
import type { Builders, Database, OnWakeUp, Queries, Transaction } from './database.ts'
import { errorCode } from './error-code.ts'
import { databaseNow } from '../tables/kit.ts'
import { listen, notify } from './listen.ts'
import { checkVersion, MIGRATIONS } from './migrations.ts'
import { postgresqlTables } from '../tables/postgresql.ts'

// Without this lock, processes that start together fail with "duplicate key … pg_type".
const MIGRATION_LOCK = 4_157_220_193

const [DEADLOCK, SERIALIZATION_FAILURE] = ['40P01', '40001']

/** Opens and migrates a database that other processes may share. */
export async function openPostgresql(url: string, onWakeUp: OnWakeUp, log: Logger): Promise<Database> {
  await migratePostgresql(url)
  const pool = new Pool({
    connectionString: url,
    max: 10,
    statement_timeout: 30_000,
    connectionTimeoutMillis: 10_000,
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'idle database connection lost'))
  // A lost connection emits `error`; without a listener that ends the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  const stopListening = listen(url, onWakeUp, log)
  const counter = createPostgresqlCounter(url)

  return {
    dialect: 'postgresql',
    location: withoutPassword(url),
    read: queries(drizzle({ client: pool })),
    tx: (work) => withRetries(() => transaction(pool, work)),
    counter,
    async close() {
      await stopListening()
      await Promise.all([counter.close(), pool.end()])
    },
  }
}

/** Runs `read` on one snapshot. */
export async function readPostgresql<T>(
  url: string,
  read: (q: Queries) => Promise<T>,
): Promise<{ location: string; result: T }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read, read only')
    return { location: withoutPassword(url), result: await read(queries(drizzle({ client }))) }
  } finally {
    await client.end()
  }
}

async function migratePostgresql(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    checkVersion(withoutPassword(url), await listApplied(client), MIGRATIONS.postgresql)
    await migrate(drizzle({ client }), { migrationsFolder: MIGRATIONS.postgresql })
  } finally {
    await client.end()
  }
}

async function listApplied(client: Client): Promise<string[]> {
  const table = 'drizzle.__drizzle_migrations'
  const { rows: found } = await client.query<{ oid: string | null }>('select to_regclass($1) as oid', [table])
  if (found[0]?.oid == null) return []
  const { rows } = await client.query<{ name: string }>(`select name from ${table}`)
  return rows.map(({ name }) => name)
}

function queries(connection: Builders): Queries {
  return { dialect: 'postgresql', sql: connection, tables: postgresqlTables, now: databaseNow.postgresql }
}

// Per pooled client, so that statements prepared on it are found again.
const onClient = new WeakMap<PoolClient, Queries>()

async function transaction<T>(pool: Pool, work: (q: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let q = onClient.get(client)
  if (!q) onClient.set(client, (q = queries(drizzle({ client }))))
  const keys = new Set<string>()
  const callbacks: (() => void)[] = []
  let value: T
  try {
    await client.query('begin')
    value = await work({
      ...q,
      wakeUp: (key) => keys.add(key),
      afterCommit: (callback) => callbacks.push(callback),
    })
    // In one message, because locks are held until it returns.
    await client.query([...[...keys].map((key) => notify(client.escapeLiteral(key))), 'commit'].join(';'))
    client.release()
  } catch (error) {
    await client.query('rollback').then(
      () => client.release(),
      (lost: Error) => client.release(lost),
    )
    throw error
  }
  for (const callback of callbacks) callback()
  return value
}

async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === 3 || ![DEADLOCK, SERIALIZATION_FAILURE].includes(errorCode(error))) throw error
    }
  }
}

function withoutPassword(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${pathname}`
}
