import type { Queries } from './database.ts'

/** A query builder that can be prepared: drizzle's select, insert, update and delete on either database. */
interface Preparable<Row> {
  prepare(name: string): { execute(values?: Record<string, unknown>): Promise<Row> }
}

/**
 * A statement built and prepared once per connection, then only run. Building one takes drizzle longer than SQLite
 * takes to run it. `build` uses `sql.placeholder('name')` where a value of `Values` goes.
 */
export function statement<Values extends Record<string, unknown>, Row>(
  name: string,
  build: (q: Queries) => Preparable<Row>,
): (q: Queries, values: Values) => Promise<Row> {
  const prepared = new WeakMap<object, ReturnType<Preparable<Row>['prepare']>>()
  // async, because SQLite's execute is a thenable that runs when awaited, and throws where PostgreSQL's rejects.
  return async (q, values) => {
    let query = prepared.get(q.sql)
    if (!query) prepared.set(q.sql, (query = build(q).prepare(name)))
    return await query.execute(values)
  }
}
