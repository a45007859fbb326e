import type { Database as Connection, Statement } from 'better-sqlite3'
import { LRUCache } from 'lru-cache'

const MAX_CACHED_STATEMENTS = 500

/** SQLite compiles longer than it runs, and drizzle compiles each statement that is not prepared. */
export function cacheStatements(connection: Connection): Connection {
  const cache = new LRUCache<string, Statement>({ max: MAX_CACHED_STATEMENTS })
  const compile = connection.prepare.bind(connection)
  const prepare = (text: string): Statement => {
    const statement = cache.get(text) ?? compile(withPlainValues(text))
    cache.set(text, statement)
    // The previous user may have switched it to rows as arrays.
    return statement.reader ? statement.raw(false) : statement
  }
  return Object.assign(connection, { prepare })
}

/**
 * SQLite compiles a statement again after each change of a value that the plan was chosen for, as of a LIMIT or beside an
 * ORDER BY: https://sqlite.org/c3ref/prepare.html. `+?` has the same value, and no plan depends on it.
 */
function withPlainValues(text: string): string {
  return text.replaceAll(/'[^']*'|\?/g, (part) => (part === '?' ? '+?' : part))
}
