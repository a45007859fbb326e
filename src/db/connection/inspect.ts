import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from './error-code.ts'
import type { Queries } from './database.ts'
import { readPostgresql } from './postgresql.ts'
import { readSqlite, SQLITE_FILE } from './sqlite.ts'

/** The database cannot be inspected. The message names the remedy. */
export class CannotInspect extends Error {
  override name = 'CannotInspect'
}

/**
 * Runs `read` on one snapshot of the configured database, without a lock or a migration; a server may be running on it.
 * Throws CannotInspect when there is no database, or its schema is of another version.
 */
export async function inspectDatabase<T>(
  { databaseUrl, dataDir }: { databaseUrl: string | null; dataDir: string },
  read: (q: Queries) => Promise<T>,
): Promise<{ location: string; result: T }> {
  if (databaseUrl === null && !existsSync(join(dataDir, SQLITE_FILE)))
    throw new CannotInspect(`There is no database in ${dataDir}.`)
  try {
    return databaseUrl === null ? await readSqlite(dataDir, read) : await readPostgresql(databaseUrl, read)
  } catch (error) {
    if (!isSchemaMismatch(error)) throw error
    throw new CannotInspect(
      'The database was made by another version of Darkroom: run `darkroom migrate`, then try again.',
      { cause: error },
    )
  }
}

/** A table or column is missing: 42P01 and 42703 in PostgreSQL; SQLite has only a message. */
function isSchemaMismatch(error: unknown): boolean {
  if (['42P01', '42703'].includes(errorCode(error))) return true
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && /no such (?:table|column)/.test(cause.message)
}
