import { and, eq, sql, type Placeholder } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Tables } from '../tables/tables.ts'
import type { Queries } from './database.ts'

/** A query builder that can be prepared: drizzle's select, insert, update and delete on either database. */
interface Preparable<Row> {
  prepare(name: string): { execute(values?: Record<string, unknown>): Promise<Row> }
}

/**
 * A statement that is built and prepared once per connection. Building one takes drizzle longer than SQLite takes to run
 * it. `build` uses `sql.placeholder('name')` for each value of `Values`.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers name it, so that their values are checked
export function statement<Values extends Record<string, unknown>, Row>(
  name: string,
  build: (q: Queries) => Preparable<Row>,
): (q: Queries, values: Values) => Promise<Row> {
  const prepared = new WeakMap<object, ReturnType<Preparable<Row>['prepare']>>()
  // async, because SQLite's execute is a thenable that runs when awaited, and throws where PostgreSQL's rejects.
  return async (q, values) => {
    let query = prepared.get(q.sql)
    if (!query) prepared.set(q.sql, (query = build(q).prepare(name)))
    return query.execute(values)
  }
}

/**
 * A prepared insert, one per connection and set of columns. `build` puts `values` where the row goes; columns that a row
 * lacks get their defaults.
 */
export function insertion<Row extends object, Result>(
  name: string,
  build: (q: Queries, values: Record<keyof Row, Placeholder>) => Preparable<Result>,
): (q: Queries, row: Row) => Promise<Result> {
  const byColumns = new Map<string, (q: Queries, row: Record<string, unknown>) => Promise<Result>>()
  return async (q, row) => {
    const given = Object.entries(row).filter(([, value]) => value !== undefined)
    const columns = given.map(([column]) => column)
    const key = columns.join()
    let insert = byColumns.get(key)
    if (!insert) {
      const placeholders = Object.fromEntries(columns.map((column) => [column, sql.placeholder(column)]))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder for each column that this row has
      const values = placeholders as Record<keyof Row, Placeholder>
      insert = statement(`${name}_${byColumns.size}`, (on) => build(on, values))
      byColumns.set(key, insert)
    }
    return insert(q, Object.fromEntries(given))
  }
}

type RowOf<Name extends keyof Tables> = Tables[Name]['$inferSelect']

/** A prepared query for the row with these values of `columns`, which identify one; undefined when there is none. */
export function rowBy<
  Name extends keyof Tables,
  const Columns extends readonly (string & keyof RowOf<Name>)[],
>(
  name: Name,
  ...columns: Columns
): (
  q: Queries,
  ...values: { [Index in keyof Columns]: NonNullable<RowOf<Name>[Columns[Index]]> }
) => Promise<RowOf<Name> | undefined> {
  const select = statement<Record<string, unknown>, unknown[]>(`${name}_by_${columns.join('_')}`, (q) => {
    const table: PgTable = q.tables[name]
    const isRow = and(...columns.map((column) => eq(Reflect.get(table, column), sql.placeholder(column))))
    return q.sql.select().from(table).where(isRow)
  })
  return async (q, ...values) => {
    const [row] = await select(q, Object.fromEntries(columns.map((column, i) => [column, values[i]])))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all columns of the table
    return row as RowOf<Name> | undefined
  }
}
