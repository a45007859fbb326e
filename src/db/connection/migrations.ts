import { fileURLToPath } from 'node:url'

/** Where the SQL migrations of each database are. */
export const MIGRATIONS = {
  sqlite: fileURLToPath(new URL('../../../drizzle/sqlite', import.meta.url)),
  postgresql: fileURLToPath(new URL('../../../drizzle/postgresql', import.meta.url)),
}
