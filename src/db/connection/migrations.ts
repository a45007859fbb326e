import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folders of the SQL migrations of each database. */
export const MIGRATIONS = {
  sqlite: fileURLToPath(new URL('../../../drizzle/sqlite', import.meta.url)),
  postgresql: fileURLToPath(new URL('../../../drizzle/postgresql', import.meta.url)),
}

/** The database was brought to a version that this program does not know. */
export class DatabaseNewer extends Error {
  override name = 'DatabaseNewer'
}

/**
 * Throws DatabaseNewer when a migration was applied that is not in `folder`: an older program would write rows that lack
 * what the newer one relies on.
 */
export function refuseNewer(location: string, applied: readonly string[], folder: string): void {
  const known = new Set(readdirSync(folder))
  const foreign = applied.find((name) => !known.has(name))
  if (foreign === undefined) return
  throw new DatabaseNewer(
    `The database ${location} was last used by a newer Darkroom: it has had the migration ${foreign}, which this one does ` +
      'not know. Nothing was changed. Run the newer one again, or restore a backup from before.',
  )
}
