import type { Database as Connection } from 'better-sqlite3'
import { errorCode } from './error-code.ts'

export class DatabaseDamaged extends Error {
  override name = 'DatabaseDamaged'
}

/** Reads every page. Throws DatabaseDamaged. */
export function checkIntegrity(file: string, connection: Connection, configure: () => void): void {
  try {
    configure()
    const result = connection.pragma('quick_check(1)', { simple: true })
    if (result !== 'ok') throw damaged(file, String(result))
  } catch (error) {
    const isDamage = /^SQLITE_(?:NOTADB|CORRUPT)/.test(errorCode(error))
    throw isDamage && error instanceof Error ? damaged(file, error.message, error) : error
  }
}

function damaged(file: string, problem: string, cause?: unknown): DatabaseDamaged {
  return new DatabaseDamaged(
    `The database ${file} is damaged: ${problem}. Nothing was changed. Restore a backup, or move the file away to start with an empty database.`,
    { cause },
  )
}
