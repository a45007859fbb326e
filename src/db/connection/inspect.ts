import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from './error-code.ts'
import type { Queries } from './database.ts'
import { lookAtPostgresql } from './postgresql.ts'
import { lookAtSqlite, SQLITE_FILE } from './sqlite.ts'

/** The database cannot be looked at. The message says what to do about it. */
export class CannotInspect extends Error {
  override name = 'CannotInspect'
}

/**
 * Looks at the configured database as it is at one moment, and changes nothing: no lock, no migration. A server may be
 * running on it. Throws CannotInspect when there is none, or one of another version.
 */
export async function inspectDatabase<T>(
  where: { databaseUrl: string | null; dataDir: string },
  look: (q: Queries) => Promise<T>,
): Promise<{ location: string; seen: T }> {
  const { databaseUrl, dataDir } = where
  if (databaseUrl === null && !existsSync(join(dataDir, SQLITE_FILE)))
    throw new CannotInspect(`There is no database in ${dataDir}.`)
  try {
    return databaseUrl === null
      ? await lookAtSqlite(dataDir, look)
      : await lookAtPostgresql(databaseUrl, look)
  } catch (error) {
    if (isOfAnotherVersion(error))
      throw new CannotInspect(
        'The database was made by another version of Darkroom: run `darkroom migrate`, then ask again.',
        { cause: error },
      )
    throw error
  }
}

/** A table or column is missing: 42P01 and 42703 in PostgreSQL, words in SQLite. */
function isOfAnotherVersion(error: unknown): boolean {
  if (['42P01', '42703'].includes(errorCode(error))) return true
  const thrown = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return thrown instanceof Error && /no such (?:table|column)/.test(thrown.message)
}
