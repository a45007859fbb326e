import type { Database as Connection, Statement } from 'better-sqlite3'
import { LRUCache } from 'lru-cache'

const MAX_CACHED_STATEMENTS = 500

/**
 * SQLite takes longer to compile a statement than to run it, and drizzle compiles all that are not prepared.
 */
export function cacheStatements(connection: Connection): Connection {
  const cache = new LRUCache<string, Statement>({ max: MAX_CACHED_STATEMENTS })
  const compile = connection.prepare.bind(connection)
  const prepare = (text: string): Statement => {
    const statement = cache.get(text) ?? compile(text)
    cache.set(text, statement)
    // The previous user may have switched it to rows as arrays.
    return statement.reader ? statement.raw(false) : statement
  }
  return Object.assign(connection, { prepare })
}
