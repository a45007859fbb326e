import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

export class FolderInUse extends Error {
  override name = 'FolderInUse'
}

/**
 * An exclusive transaction on its own database: the system releases it however the process ends. Throws FolderInUse.
 */
export function lockFolder(folder: string): { release(): void } {
  const lock = new BetterSqlite3(join(folder, 'darkroom.lock'), { timeout: 0 })
  const pidFile = join(folder, 'darkroom.pid')
  try {
    lock.exec('begin exclusive')
  } catch (cause) {
    lock.close()
    throw new FolderInUse(
      `The data folder ${folder} is in use by ${ownerOf(pidFile)}. One process may use it at a time: stop that one, ` +
        `choose another DATA_DIR, or set DATABASE_URL to a PostgreSQL database that many processes can share.`,
      { cause },
    )
  }
  writeFileSync(pidFile, String(process.pid))
  return {
    release() {
      lock.exec('rollback')
      lock.close()
    },
  }
}

function ownerOf(pidFile: string): string {
  try {
    return `process ${readFileSync(pidFile, 'utf8')}`
  } catch {
    return 'another process'
  }
}
