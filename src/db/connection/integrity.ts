import type { Database as Connection } from 'better-sqlite3'
import { errorCode } from './error-code.ts'

/** The file is no whole database any more. */
export class DatabaseDamaged extends Error {
  override name = 'DatabaseDamaged'
}

/**
 * Does the first work on a database, and then looks whether it is whole, so that nothing is built on sand. Reads every
 * page of it. Throws DatabaseDamaged.
 */
export function openWhole(file: string, connection: Connection, first: () => void): void {
  try {
    first()
    const said = connection.pragma('quick_check(1)', { simple: true })
    if (said !== 'ok') throw damaged(file, String(said))
  } catch (error) {
    connection.close()
    const isDamage = /^SQLITE_(?:NOTADB|CORRUPT)/.test(errorCode(error))
    throw isDamage && error instanceof Error ? damaged(file, error.message, error) : error
  }
}

function damaged(file: string, what: string, cause?: unknown): DatabaseDamaged {
  return new DatabaseDamaged(
    `The database ${file} is damaged: ${what}. Nothing was changed. Restore a backup, or move the file away to begin anew.`,
    { cause },
  )
}
