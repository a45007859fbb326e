import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3, { type Database as Connection } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { Unavailable } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { createMemoryCounter } from './rate-counter.ts'
import type { Database, OnWakeUp, Queries } from './database.ts'
import { groupCommit } from './group-commit.ts'
import { checkIntegrity } from './integrity.ts'
import { databaseNow } from '../tables/kit.ts'
import { lockFolder } from './lock.ts'
import { checkVersion, MIGRATIONS } from './migrations.ts'
import { createReaders, DEFAULT_READER_LIMITS } from './sqlite-readers.ts'
import { cacheStatements } from './statement-cache.ts'
import { createSyncedLog } from './synced-log.ts'
import { sqliteTables } from '../tables/sqlite.ts'

export const SQLITE_FILE = 'darkroom.db'

/**
 * Opens and migrates for this process alone. While a transaction is open, reads use a second connection.
 * Throws FolderInUse, DatabaseDamaged and DatabaseNewer.
 */
export function openSqlite(folder: string, onWakeUp: OnWakeUp, log: Logger): Database {
  mkdirSync(folder, { recursive: true })
  const lock = lockFolder(folder)
  const file = join(folder, SQLITE_FILE)
  const writer = new BetterSqlite3(file)
  try {
    checkIntegrity(file, writer, () => {
      writer.pragma('journal_mode = WAL')
      writer.pragma('synchronous = FULL')
      writer.pragma('foreign_keys = ON')
      writer.pragma('busy_timeout = 5000')
    })
    checkVersion(file, listApplied(writer), MIGRATIONS.sqlite)
  } catch (error) {
    writer.close()
    lock.release()
    throw error
  }
  cacheStatements(writer)
  migrate(drizzle({ client: writer }), { migrationsFolder: MIGRATIONS.sqlite })
  // Waiting inside SQLite would block the event loop: `groupCommit` retries.
  writer.pragma('busy_timeout = 0')
  // Savepoints keep the pages they change, else in a temporary file for each larger batch.
  writer.pragma('temp_store = MEMORY')

  const reader = cacheStatements(new BetterSqlite3(file, { readonly: true, timeout: READ_BUSY_MS }))
  const wal = createSyncedLog(file, writer, reader)
  const group = groupCommit(writer, queries(writer), wal, { onWakeUp, checkMoved: createMoveCheck(file) })
  const readers = createReaders(file, DEFAULT_READER_LIMITS, { wal, log })
  return {
    dialect: 'sqlite',
    location: file,
    read: queries(readingDurable(writer, reader)),
    reports: toQueries(readers.builders, readers.builders),
    tx: (work) => group.tx(work),
    counter: createMemoryCounter(),
    async close() {
      await group.idle()
      await readers.close()
      reader.close()
      wal.close()
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

export async function readSqlite<T>(
  folder: string,
  read: (q: Queries) => Promise<T>,
): Promise<{ location: string; result: T }> {
  const location = join(folder, SQLITE_FILE)
  const reader = new BetterSqlite3(location, { readonly: true })
  try {
    reader.exec('begin')
    return { location, result: await read(queries(cacheStatements(reader))) }
  } finally {
    reader.close()
  }
}

function queries(client: Connection): Queries {
  return toQueries(drizzle({ client }), drizzle({ client, jit: true }))
}

function toQueries(sql: unknown, toPrepare: unknown): Queries {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lets both databases share their query functions, see kit.ts
  const builders = { sql, toPrepare } as Pick<Queries, 'sql' | 'toPrepare'>
  return { dialect: 'sqlite', ...builders, tables: sqliteTables, now: databaseNow.sqlite }
}

/** In WAL mode readers wait for a writer only while the log is recovered. */
const READ_BUSY_MS = 50

/** Reads only what is durable. Prefers the writer: the cache of another connection is empty after every commit. */
function readingDurable(writer: Connection, reader: Connection): Connection {
  const isDurable = () => !writer.inTransaction && !reader.inTransaction
  const prepare = (text: string) => {
    const chosen = () => (isDurable() ? writer : reader).prepare(text)
    return {
      all: (...values: unknown[]) => chosen().all(...values),
      get: (...values: unknown[]) => chosen().get(...values),
      raw: () => chosen().raw(),
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what drizzle calls of a client that only reads
  return { prepare } as unknown as Connection
}

/** Throws Unavailable once the file is removed or replaced, which would lose writes. */
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
