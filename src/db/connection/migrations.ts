import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const MIGRATIONS = {
  sqlite: fileURLToPath(new URL('../../../drizzle/sqlite', import.meta.url)),
  postgresql: fileURLToPath(new URL('../../../drizzle/postgresql', import.meta.url)),
}

export class DatabaseNewer extends Error {
  override name = 'DatabaseNewer'
}

/** An older program would write rows that lack what the newer one needs. Throws DatabaseNewer. */
export function checkVersion(location: string, applied: readonly string[], folder: string): void {
  const known = new Set(readdirSync(folder))
  const unknown = applied.find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new DatabaseNewer(
    `The database ${location} was last used by a newer Darkroom: it has the migration ${unknown}, which this version does ` +
      'not know. Nothing was changed. Run the newer version again, or restore a backup from before the upgrade.',
  )
}
