import { and, eq, sql, type Placeholder } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Tables } from '../tables/tables.ts'
import type { Queries } from './database.ts'

interface Preparable<Row> {
  prepare(name: string): { execute(values?: object): Promise<Row> }
}

/** Of SQLite: awaiting it takes several promises. */
interface SyncResult<Row> extends Promise<Row> {
  sync(): Row
}

function isSync<Row>(result: Promise<Row>): result is SyncResult<Row> {
  return 'sync' in result
}

/**
 * Prepared once per connection: building takes drizzle longer than running takes SQLite. `build` uses
 * `sql.placeholder('name')` for each value.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers name it, so that their values are checked
export function statement<Values extends object, Row>(
  name: string,
  build: (q: Queries) => Preparable<Row>,
): (q: Queries, values: Values) => Promise<Row> {
  const prepared = new WeakMap<object, ReturnType<Preparable<Row>['prepare']>>()
  // async: SQLite's execute throws where PostgreSQL's rejects.
  return async (q, values) => {
    let query = prepared.get(q.sql)
    if (!query) prepared.set(q.sql, (query = build({ ...q, sql: q.toPrepare }).prepare(name)))
    const result = query.execute(values)
    return isSync(result) ? result.sync() : result
  }
}

/** One per set of columns. Absent columns get their defaults. */
export function insertion<Row extends object, Result>(
  name: string,
  build: (q: Queries, values: Placeholders<Row>) => Preparable<Result>,
): (q: Queries, row: Row) => Promise<Result> {
  const run = shaped<Row, null, Result>(name, build)
  return (q, row) => run(q, row, null)
}

export type Placeholders<Row> = Record<keyof Row, Placeholder>

/** One per set of given values, and per `shape`: other differences, of few kinds. */
export function shaped<Row extends object, Shape, Result>(
  name: string,
  build: (q: Queries, values: Placeholders<Row>, shape: Shape) => Preparable<Result>,
): (q: Queries, row: Row, shape: Shape) => Promise<Result> {
  const byShape = new Map<string, (q: Queries, row: Row) => Promise<Result>>()
  return (q, row, shape) => {
    let key = shape === null ? '' : JSON.stringify(shape)
    for (const column in row) if (row[column] !== undefined) key += `,${column}`
    let run = byShape.get(key)
    if (!run) {
      const columns = Object.entries(row).flatMap(([column, value]) => (value === undefined ? [] : column))
      const placeholders = Object.fromEntries(columns.map((column) => [column, sql.placeholder(column)]))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder for each value that this row has
      const values = placeholders as Placeholders<Row>
      run = statement<Row, Result>(`${name}_${byShape.size}`, (on) => build(on, values, shape))
      byShape.set(key, run)
    }
    return run(q, row)
  }
}

type RowOf<Name extends keyof Tables> = Tables[Name]['$inferSelect']

/** Undefined without such a row. */
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
