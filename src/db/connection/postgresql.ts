import { drizzle } from 'drizzle-orm/node-postgres'
import { Client, type QueryConfig } from 'pg'
import { Unavailable } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { createPostgresqlCounter } from './rate-counter.ts'
import type { Database, OnWakeUp, Queries, Transaction } from './database.ts'
import { errorCode } from './error-code.ts'
import { databaseNow } from '../tables/kit.ts'
import { migratePostgresql } from './migrate-postgresql.ts'
import { listen, notifications } from './listen.ts'
import {
  ConnectionLost,
  createPool,
  DEFAULT_LIMITS,
  KEEP_ALIVE,
  REPORT_LIMITS,
  type Connection,
  type PostgresqlPool,
} from './postgresql-pool.ts'
import { postgresqlTables } from '../tables/postgresql.ts'

const [DEADLOCK, SERIALIZATION_FAILURE] = ['40P01', '40001']
const CONFLICT_RETRY_MS = 1_000
const CONNECT_MS = 10_000

/** Opens and migrates; other processes may share the database. */
export async function openPostgresql(url: string, onWakeUp: OnWakeUp, log: Logger): Promise<Database> {
  await migratePostgresql(url, withoutPassword(url))
  const pool = createPool(url, DEFAULT_LIMITS, log)
  // Their own connections, so that reports delay no transaction.
  const reportPool = createPool(url, REPORT_LIMITS, log)
  const stopListening = listen(url, onWakeUp, log)
  const counter = createPostgresqlCounter(url)

  return {
    dialect: 'postgresql',
    location: withoutPassword(url),
    read: pooledQueries(pool),
    reports: pooledQueries(reportPool),
    tx: (work) => withRetries(() => transaction(pool, work)),
    counter,
    async close() {
      stopListening()
      await Promise.all([counter.close(), pool.close(), reportPool.close()])
    },
  }
}

export async function readPostgresql<T>(
  url: string,
  read: (q: Queries) => Promise<T>,
): Promise<{ location: string; result: T }> {
  const client = new Client({ connectionString: url, ...KEEP_ALIVE, connectionTimeoutMillis: CONNECT_MS })
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read, read only')
    return { location: withoutPassword(url), result: await read(queries(client)) }
  } finally {
    await client.end()
  }
}

function queries(client: Connection | Client): Queries {
  const builders = { sql: drizzle({ client }), toPrepare: drizzle({ client, jit: true }) }
  return { dialect: 'postgresql', ...builders, tables: postgresqlTables, now: databaseNow.postgresql }
}

function pooledQueries(pool: PostgresqlPool): Queries {
  const query = (config: QueryConfig, values: unknown[]) =>
    pool.use((connection) => connection.query(config, values))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that drizzle calls outside of its transactions
  return queries({ query } as unknown as Connection)
}

// Per connection, to find its prepared statements.
const onConnection = new WeakMap<Connection, Queries>()

function queriesOn(connection: Connection): Queries {
  let q = onConnection.get(connection)
  if (!q) onConnection.set(connection, (q = queries(connection)))
  return q
}

async function transaction<T>(pool: PostgresqlPool, work: (q: Transaction) => Promise<T>): Promise<T> {
  const keys = new Set<string>()
  const callbacks: (() => void)[] = []
  const value = await pool.use(async (connection, statementMs) => {
    // The server stops what its client would not wait for.
    await connection.query(
      statementMs === undefined ? 'begin' : `begin; set local statement_timeout = ${statementMs}`,
    )
    let result: T
    try {
      result = await work({
        ...queriesOn(connection),
        wakeUp: (key) => keys.add(key),
        afterCommit: (callback) => callbacks.push(callback),
      })
    } catch (error) {
      await connection.query('rollback')
      throw error
    }
    await commit(connection, keys)
    return result
  })
  for (const callback of callbacks) callback()
  return value
}

async function commit(connection: Connection, keys: ReadonlySet<string>): Promise<void> {
  try {
    // In one message, because locks are held until it returns.
    const escape = (text: string) => connection.escapeLiteral(text)
    await connection.query([...notifications(keys, escape), 'commit'].join(';'))
  } catch (error) {
    if (error instanceof ConnectionLost) throw new ConnectionLost(error, UNCERTAIN)
    // A failed statement of the message leaves the transaction open.
    await connection.query('rollback')
    throw error
  }
}

const UNCERTAIN =
  'The connection to the database was lost during the commit: whether the change was stored is unknown. A request with ' +
  'the same idempotency key returns what was stored.'

/** Throws Unavailable for a conflict that persists. */
async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (![DEADLOCK, SERIALIZATION_FAILURE].includes(errorCode(error))) throw error
      if (tries === 3)
        throw new Unavailable('Too many transactions change the same rows.', CONFLICT_RETRY_MS, error)
    }
  }
}

function withoutPassword(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${pathname}`
}
