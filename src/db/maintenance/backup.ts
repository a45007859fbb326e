import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { SQLITE_FILE } from '../connection/sqlite.ts'

export class BackupFailed extends Error {
  override name = 'BackupFailed'
}

/**
 * One snapshot, also while a server runs. Throws BackupFailed without a database, if the file exists, or if the copy
 * is damaged.
 */
export async function backUp(dataDir: string, target: string): Promise<void> {
  const source = join(dataDir, SQLITE_FILE)
  if (!existsSync(source)) throw new BackupFailed(`There is no database in ${dataDir}.`)
  if (existsSync(target)) throw new BackupFailed(`${target} exists already; a backup never replaces a file.`)
  const part = `${target}.part`
  await rm(part, { force: true })
  const reader = new BetterSqlite3(source, { readonly: true })
  try {
    reader.prepare('vacuum into ?').run(part)
  } finally {
    reader.close()
  }
  const result = checkIntegrity(part)
  if (result !== 'ok') {
    await rm(part, { force: true })
    throw new BackupFailed(
      `The copy failed its integrity check (${String(result)}): the database itself may be damaged.`,
    )
  }
  await rename(part, target)
}

function checkIntegrity(file: string): unknown {
  const copy = new BetterSqlite3(file, { readonly: true })
  try {
    return copy.pragma('integrity_check', { simple: true })
  } finally {
    copy.close()
  }
}
