import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3, { type Database as Connection, type Statement } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { LRUCache } from 'lru-cache'
import { createMemoryCounter } from './rate-counter.ts'
import type { Builders, Database, OnWakeUp, Queries, Transaction } from './database.ts'
import { checkIntegrity } from './integrity.ts'
import { databaseNow } from '../tables/kit.ts'
import { lockFolder } from './lock.ts'
import { checkVersion, MIGRATIONS } from './migrations.ts'
import { sqliteTables } from '../tables/sqlite.ts'

export const SQLITE_FILE = 'darkroom.db'

/**
 * Opens and migrates a folder's database for this process alone. Reads use a second connection: a write beside an open
 * transaction would block the event loop. Throws FolderInUse, DatabaseDamaged and DatabaseNewer.
 */
export function openSqlite(folder: string, onWakeUp: OnWakeUp): Database {
  mkdirSync(folder, { recursive: true })
  const lock = lockFolder(folder)
  const file = join(folder, SQLITE_FILE)
  const writer = new BetterSqlite3(file)
  try {
    checkIntegrity(file, writer, () => {
      writer.pragma('journal_mode = WAL')
      // FULL: a commit survives a power failure. Group commit makes it affordable.
      writer.pragma('synchronous = FULL')
      writer.pragma('foreign_keys = ON')
      writer.pragma('busy_timeout = 5000')
      writer.pragma('wal_autocheckpoint = 4000')
    })
    checkVersion(file, listApplied(writer), MIGRATIONS.sqlite)
  } catch (error) {
    writer.close()
    lock.release()
    throw error
  }
  const writing = drizzle({ client: cacheStatements(writer) })
  migrate(writing, { migrationsFolder: MIGRATIONS.sqlite })

  const reader = cacheStatements(new BetterSqlite3(file, { readonly: true }))
  const group = groupCommit(writer, queries(writing), onWakeUp)
  return {
    dialect: 'sqlite',
    location: file,
    read: queries(drizzle({ client: reader })),
    tx: (work) => group.tx(work),
    counter: createMemoryCounter(),
    async close() {
      await group.idle()
      reader.close()
      writer.pragma('wal_checkpoint(TRUNCATE)')
      writer.close()
      lock.release()
    },
  }
}

function listApplied(connection: Connection): string[] {
  const has = connection.prepare("select 1 from sqlite_schema where name = '__drizzle_migrations'").get()
  if (!has) return []
  return connection.prepare<[], string>('select name from __drizzle_migrations').pluck().all()
}

/** Runs `read` on one snapshot. */
export async function readSqlite<T>(
  folder: string,
  read: (q: Queries) => Promise<T>,
): Promise<{ location: string; result: T }> {
  const location = join(folder, SQLITE_FILE)
  const reader = new BetterSqlite3(location, { readonly: true })
  try {
    reader.exec('begin')
    return { location, result: await read(queries(drizzle({ client: cacheStatements(reader) }))) }
  } finally {
    reader.close()
  }
}

const MAX_CACHED_STATEMENTS = 500

/** SQLite needs longer to compile a statement than to run it, and drizzle compiles every one that was not prepared. */
function cacheStatements(connection: Connection): Connection {
  const cache = new LRUCache<string, Statement>({ max: MAX_CACHED_STATEMENTS })
  const compile = connection.prepare.bind(connection)
  const prepare = (text: string): Statement => {
    const statement = cache.get(text) ?? compile(text)
    cache.set(text, statement)
    // The previous user may have switched it to rows as arrays.
    return statement.reader ? statement.raw(false) : statement
  }
  return Object.assign(connection, { prepare })
}

function queries(connection: unknown): Queries {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lets both databases share their query functions, see kit.ts
  const builders = connection as Builders
  return { dialect: 'sqlite', sql: builders, tables: sqliteTables, now: databaseNow.sqlite }
}

interface PendingTransaction {
  /** Resolves to a function that reports success. */
  run: (q: Transaction) => Promise<() => void>
  reject: (error: unknown) => void
}

/**
 * Transactions of the same turn of the event loop share one commit, and so one fsync. Each is a savepoint, so that one
 * may fail alone. Queries complete in the same turn, so batches never overlap.
 */
function groupCommit(connection: Connection, q: Queries, onWakeUp: OnWakeUp) {
  let pending: PendingTransaction[] = []
  const run = (text: string) => connection.prepare(text).run()
  let running: Promise<void> | undefined

  async function commitAll(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending
      pending = []
      await commit(batch)
    }
    running = undefined
  }

  async function commit(batch: PendingTransaction[]): Promise<void> {
    const keys = new Set<string>()
    const reports: (() => void)[] = []
    try {
      run('begin immediate')
      for (const one of batch) reports.push(await savepoint(one, keys))
      run('commit')
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      for (const one of batch) one.reject(error)
      return
    }
    for (const report of reports) report()
    for (const key of keys) onWakeUp(key)
  }

  async function savepoint(one: PendingTransaction, keys: Set<string>): Promise<() => void> {
    const own = new Set<string>()
    const callbacks: (() => void)[] = []
    run('savepoint one')
    try {
      const resolve = await one.run({
        ...q,
        wakeUp: (key) => own.add(key),
        afterCommit: (callback) => callbacks.push(callback),
      })
      run('release one')
      for (const key of own) keys.add(key)
      return () => {
        for (const callback of callbacks) callback()
        resolve()
      }
    } catch (error) {
      connection.exec('rollback to one; release one')
      return () => one.reject(error)
    }
  }

  return {
    tx<T>(work: (q: Transaction) => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const runWork = async (own: Transaction) => {
          const value = await work(own)
          return () => resolve(value)
        }
        // Keeps the caller's context, for its logs and traces.
        pending.push({ run: AsyncLocalStorage.bind(runWork), reject })
        running ??= new Promise<void>((begin) => setImmediate(begin)).then(commitAll)
      })
    },
    async idle(): Promise<void> {
      for (let batch = running; batch; batch = running) await batch
    },
  }
}
