import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3, { type Database as Connection, type Statement } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { LRUCache } from 'lru-cache'
import { countInMemory } from './rate-counter.ts'
import type { Builders, Database, OnWakeUp, Queries, Transaction } from './database.ts'
import { openWhole } from './integrity.ts'
import { databaseNow } from '../tables/kit.ts'
import { lockFolder } from './lock.ts'
import { MIGRATIONS, refuseNewer } from './migrations.ts'
import { sqliteTables } from '../tables/sqlite.ts'

/** The name of the database in its folder. */
export const SQLITE_FILE = 'darkroom.db'

/**
 * Opens `darkroom.db` in a folder, for this process alone, and brings it up to date. Two connections: one writes, one
 * reads and cannot do otherwise, because a write beside an open transaction would block the event loop for seconds.
 * Throws FolderInUse while another process has it open, DatabaseDamaged, and DatabaseNewer.
 */
export function openSqlite(folder: string, onWakeUp: OnWakeUp): Database {
  mkdirSync(folder, { recursive: true })
  const lock = lockFolder(folder)
  const file = join(folder, SQLITE_FILE)
  const writer = new BetterSqlite3(file)
  try {
    openWhole(file, writer, () => {
      writer.pragma('journal_mode = WAL')
      // FULL: a committed intent survives a power cut. Group commit makes up for the price.
      writer.pragma('synchronous = FULL')
      writer.pragma('foreign_keys = ON')
      writer.pragma('busy_timeout = 5000')
      writer.pragma('wal_autocheckpoint = 4000')
    })
  } catch (error) {
    lock.release()
    throw error
  }
  const writing = drizzle({ client: keepStatements(writer) })
  try {
    refuseNewer(file, appliedTo(writer), MIGRATIONS.sqlite)
  } catch (error) {
    writer.close()
    lock.release()
    throw error
  }
  migrate(writing, { migrationsFolder: MIGRATIONS.sqlite })

  const reader = keepStatements(new BetterSqlite3(file, { readonly: true }))
  const group = groupCommit(writer, queries(writing), onWakeUp)
  return {
    dialect: 'sqlite',
    location: file,
    read: queries(drizzle({ client: reader })),
    tx: (work) => group.tx(work),
    counter: countInMemory(),
    async close() {
      await group.idle()
      reader.close()
      writer.pragma('wal_checkpoint(TRUNCATE)')
      writer.close()
      lock.release()
    },
  }
}

/** The names of the migrations it has had; none for an empty database. */
function appliedTo(connection: Connection): string[] {
  const has = connection.prepare("select 1 from sqlite_schema where name = '__drizzle_migrations'").get()
  if (!has) return []
  return connection.prepare<[], string>('select name from __drizzle_migrations').pluck().all()
}

/** Looks at the database of a folder as it is at one moment, also while a server has it open. */
export async function lookAtSqlite<T>(
  folder: string,
  look: (q: Queries) => Promise<T>,
): Promise<{ location: string; seen: T }> {
  const location = join(folder, SQLITE_FILE)
  const reader = new BetterSqlite3(location, { readonly: true })
  try {
    reader.exec('begin')
    return { location, seen: await look(queries(drizzle({ client: keepStatements(reader) }))) }
  } finally {
    reader.close()
  }
}

/** How many compiled statements a connection keeps; there are about a hundred, and more where a list is spelled out. */
const STATEMENTS = 500

/**
 * Compiles each statement once. SQLite needs longer to compile one than to run it, and drizzle asks for it anew at each
 * query that was not prepared.
 */
function keepStatements(connection: Connection): Connection {
  const kept = new LRUCache<string, Statement>({ max: STATEMENTS })
  const compile = connection.prepare.bind(connection)
  const prepare = (text: string): Statement => {
    const statement = kept.get(text) ?? compile(text)
    kept.set(text, statement)
    // Whoever had it last may have asked for rows as arrays.
    return statement.reader ? statement.raw(false) : statement
  }
  return Object.assign(connection, { prepare })
}

function queries(connection: unknown): Queries {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lets both databases share their query functions, see kit.ts
  const builders = connection as Builders
  return { dialect: 'sqlite', sql: builders, tables: sqliteTables, now: databaseNow.sqlite }
}

interface Waiting {
  /** Resolves to what tells the asker that it is done. */
  work: (q: Transaction) => Promise<() => void>
  reject: (error: unknown) => void
}

/**
 * Transactions that are asked for in the same turn of the event loop share one commit, and so one fsync; each is a
 * savepoint of its own, so that one failing leaves the others alone. Since queries on SQLite end in the same turn, no
 * two batches ever overlap.
 */
function groupCommit(connection: Connection, q: Queries, onWakeUp: OnWakeUp) {
  let waiting: Waiting[] = []
  const run = (text: string) => connection.prepare(text).run()
  let running: Promise<void> | undefined

  async function commitAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await commit(batch)
    }
    running = undefined
  }

  async function commit(batch: Waiting[]): Promise<void> {
    const keys = new Set<string>()
    const settled: (() => void)[] = []
    try {
      run('begin immediate')
      for (const one of batch) settled.push(await savepoint(one, keys))
      run('commit')
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      for (const one of batch) one.reject(error)
      return
    }
    for (const settle of settled) settle()
    for (const key of keys) onWakeUp(key)
  }

  async function savepoint(one: Waiting, keys: Set<string>): Promise<() => void> {
    const own = new Set<string>()
    const tells: (() => void)[] = []
    run('savepoint one')
    try {
      const tell = await one.work({
        ...q,
        wakeUp: (key) => own.add(key),
        afterCommit: (after) => tells.push(after),
      })
      run('release one')
      for (const key of own) keys.add(key)
      return () => {
        for (const after of tells) after()
        tell()
      }
    } catch (error) {
      connection.exec('rollback to one; release one')
      return () => one.reject(error)
    }
  }

  return {
    tx<T>(work: (q: Transaction) => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const whole = async (own: Transaction) => {
          const value = await work(own)
          return () => resolve(value)
        }
        // In the context it was asked in: what it logs and traces is not its neighbour's.
        waiting.push({ work: AsyncLocalStorage.bind(whole), reject })
        running ??= new Promise<void>((begun) => setImmediate(begun)).then(commitAll)
      })
    },
    async idle(): Promise<void> {
      for (let batch = running; batch; batch = running) await batch
    },
  }
}
