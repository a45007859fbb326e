import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from './error-code.ts'
import type { Queries } from './database.ts'
import { readPostgresql } from './postgresql.ts'
import { readSqlite, SQLITE_FILE } from './sqlite.ts'

export class CannotInspect extends Error {
  override name = 'CannotInspect'
}

/** One snapshot, without lock or migration. Throws CannotInspect without a database of this version. */
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

/** 42P01 and 42703: undefined table and column. SQLite has only a message. */
function isSchemaMismatch(error: unknown): boolean {
  if (['42P01', '42703'].includes(errorCode(error))) return true
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && /no such (?:table|column)/.test(cause.message)
}
