import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import BetterSqlite3, { type Database as Connection } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { Unavailable } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { createMemoryCounter } from './rate-counter.ts'
import type { Builders, Database, OnWakeUp, Queries, Transaction } from './database.ts'
import { errorCode } from './error-code.ts'
import { checkIntegrity } from './integrity.ts'
import { databaseNow } from '../tables/kit.ts'
import { lockFolder } from './lock.ts'
import { checkVersion, MIGRATIONS } from './migrations.ts'
import { isForClient } from './priority.ts'
import { createReaders, DEFAULT_READER_LIMITS, type WriteAheadLog } from './sqlite-readers.ts'
import { cacheStatements } from './statement-cache.ts'
import { sqliteTables } from '../tables/sqlite.ts'

export const SQLITE_FILE = 'darkroom.db'

/**
 * Opens and migrates a folder's database for this process alone. Reads use a second connection: a write beside an open
 * transaction would block the event loop. Throws FolderInUse, DatabaseDamaged and DatabaseNewer.
 */
export function openSqlite(folder: string, onWakeUp: OnWakeUp, log: Logger): Database {
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
      writer.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    })
    checkVersion(file, listApplied(writer), MIGRATIONS.sqlite)
  } catch (error) {
    writer.close()
    lock.release()
    throw error
  }
  const writing = drizzle({ client: cacheStatements(writer) })
  migrate(writing, { migrationsFolder: MIGRATIONS.sqlite })
  // Waiting inside SQLite would block the event loop: `groupCommit` tries again instead.
  writer.pragma('busy_timeout = 0')

  const reader = cacheStatements(new BetterSqlite3(file, { readonly: true, timeout: READ_BUSY_MS }))
  const group = groupCommit(writer, queries(writing), onWakeUp, createMoveCheck(file))
  const readers = createReaders(file, DEFAULT_READER_LIMITS, { wal: writeAheadLog(file, writer), log })
  return {
    dialect: 'sqlite',
    location: file,
    read: queries(drizzle({ client: reader })),
    reports: queries(readers.builders),
    tx: (work) => group.tx(work),
    counter: createMemoryCounter(),
    async close() {
      await group.idle()
      await readers.close()
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

function queries(connection: unknown): Queries {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lets both databases share their query functions, see kit.ts
  const builders = connection as Builders
  return { dialect: 'sqlite', sql: builders, tables: sqliteTables, now: databaseNow.sqlite }
}

const CHECKPOINT_PAGES = 4_000
const MAX_WAL_BYTES = 32 * 2 ** 20

function writeAheadLog(file: string, writer: Connection): WriteAheadLog {
  return {
    isLong: () => (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > MAX_WAL_BYTES,
    truncate() {
      // Does nothing while another program reads.
      if (!writer.inTransaction) writer.pragma('wal_checkpoint(TRUNCATE)')
    },
  }
}

/** In WAL mode readers wait for a writer only while the log is recovered. */
const READ_BUSY_MS = 50

/** Throws Unavailable once the file was removed or replaced: writes to the open one would be lost. */
function createMoveCheck(file: string): () => void {
  const opened = statSync(file)
  return () => {
    const current = statSync(file, { throwIfNoEntry: false })
    if (current?.ino === opened.ino && current.dev === opened.dev) return
    throw new Unavailable(
      'The database file was removed or replaced while the server runs. Restore it and restart the server.',
      MOVED_RETRY_MS,
    )
  }
}

const MOVED_RETRY_MS = 30_000
const BUSY_RETRY_MS = 2_000
/** Between two tries for the lock. */
const LOCK_INTERVAL_MS = 20
/** A mutation is refused within five seconds. */
const CLIENT_LOCK_WAIT_MS = 4_700
const ENGINE_LOCK_WAIT_MS = 60_000

interface PendingTransaction {
  /** Monotonic. */
  waitsUntil: number
  /** Resolves to a function that reports success. */
  run: (q: Transaction) => Promise<() => void>
  reject: (error: unknown) => void
}

/**
 * Transactions of the same turn of the event loop share one commit, and so one fsync. Each is a savepoint, so that one
 * may fail alone. Queries complete in the same turn, so batches never overlap.
 */
function groupCommit(connection: Connection, q: Queries, onWakeUp: OnWakeUp, checkMoved: () => void) {
  let pending: PendingTransaction[] = []
  const run = (text: string) => connection.prepare(text).run()
  let running: Promise<void> | undefined

  async function commitAll(): Promise<void> {
    while (pending.length > 0) {
      // What the last commit and finished calls have led to joins the next one.
      await new Promise((resume) => setImmediate(resume))
      if (!begin()) {
        await new Promise((resolve) => setTimeout(resolve, LOCK_INTERVAL_MS))
        continue
      }
      const batch = pending
      pending = []
      await commit(batch)
    }
    running = undefined
  }

  /** False while another program holds the lock; those that waited too long are then refused. */
  function begin(): boolean {
    try {
      checkMoved()
      run('begin immediate')
      return true
    } catch (error) {
      const now = performance.now()
      const isRefused = ({ waitsUntil }: PendingTransaction) => !isBusy(error) || waitsUntil <= now
      const refused = pending.filter(isRefused)
      pending = pending.filter((one) => !isRefused(one))
      for (const one of refused) one.reject(translate(error))
      return false
    }
  }

  async function commit(batch: PendingTransaction[]): Promise<void> {
    const keys = new Set<string>()
    const reports: (() => void)[] = []
    try {
      for (const one of batch) reports.push(await savepoint(one, keys))
      run('commit')
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      for (const one of batch) one.reject(translate(error))
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
      return () => one.reject(translate(error))
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
        const waitMs = isForClient() ? CLIENT_LOCK_WAIT_MS : ENGINE_LOCK_WAIT_MS
        const waitsUntil = performance.now() + waitMs
        pending.push({ run: AsyncLocalStorage.bind(runWork), reject, waitsUntil })
        running ??= commitAll()
      })
    },
    async idle(): Promise<void> {
      for (let batch = running; batch; batch = running) await batch
    },
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(errorCode(error))
}

/** https://sqlite.org/rescode.html: the lock, the disk or the file. */
function translate(error: unknown): unknown {
  if (isBusy(error)) return new Unavailable('Another program locks the database.', BUSY_RETRY_MS, error)
  if (/^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|PROTOCOL)/.test(errorCode(error)))
    return new Unavailable('The database cannot be written to.', MOVED_RETRY_MS, error)
  return error
}
