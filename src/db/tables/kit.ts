// PostgreSQL's kit is the canonical type; SQLite's is cast to it, as our queries mean the same on both.
import { sql, type Placeholder, type SQL } from 'drizzle-orm'
import * as pg from 'drizzle-orm/pg-core'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import * as sqlite from 'drizzle-orm/sqlite-core'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'

export const postgresqlKit = {
  table: pg.pgTable,
  text: (name: string) => pg.text(name),
  reference: (name: string, id: () => AnyPgColumn) => pg.text(name).notNull().references(id),
  /** With a CHECK. */
  word: <const Values extends readonly [string, ...string[]]>(name: string, values: Values) =>
    pg.text(name, { enum: values }),
  integer: (name: string) => pg.integer(name),
  /** Unix milliseconds, micro-USD, sequence numbers. */
  bigint: (name: string) => pg.bigint(name, { mode: 'number' }),
  real: (name: string) => pg.doublePrecision(name),
  boolean: (name: string) => pg.boolean(name),
  json: (name: string) => pg.jsonb(name),
  /** For a full-text index. */
  words: pg.customType<{ data: string }>({ dataType: () => 'tsvector' }),
  index: pg.index,
  uniqueIndex: pg.uniqueIndex,
  primaryKey: pg.primaryKey,
  check: pg.check,
}

export type Kit = typeof postgresqlKit

const sqliteBuilders = {
  table: sqlite.sqliteTable,
  text: (name: string) => sqlite.text(name),
  reference: (name: string, id: () => AnySQLiteColumn) => sqlite.text(name).notNull().references(id),
  word: (name: string, values: readonly [string, ...string[]]) => sqlite.text(name, { enum: [...values] }),
  integer: (name: string) => sqlite.integer(name),
  bigint: (name: string) => sqlite.integer(name),
  real: (name: string) => sqlite.real(name),
  boolean: (name: string) => sqlite.integer(name, { mode: 'boolean' }),
  json: (name: string) => sqlite.text(name, { mode: 'json' }),
  words: (name: string) => sqlite.text(name),
  index: sqlite.index,
  uniqueIndex: sqlite.uniqueIndex,
  primaryKey: sqlite.primaryKey,
  check: sqlite.check,
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the purpose of this file, see above
export const sqliteKit = sqliteBuilders as unknown as Kit

/** For leases: hosts' clocks are never compared. */
export const databaseNow = {
  sqlite: sql<number>`cast(unixepoch('now', 'subsec') * 1000 as integer)`,
  postgresql: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
}

/** `in` with literals: CHECKs allow no parameters, and SQLite ignores a partial index for them. */
export function oneOf(column: unknown, values: readonly string[]): SQL {
  return sql`${column} in (${sql.raw(values.map((value) => `'${value}'`).join(', '))})`
}

/** `in`, for a prepared statement: `values` is a JSON list of texts of any length. */
export function isListed({ dialect }: { dialect: string }, column: unknown, values: Placeholder): SQL {
  return dialect === 'sqlite'
    ? sql`${column} in (select value from json_each(${values}))`
    : sql`${column} = any(array(select jsonb_array_elements_text(${values}::jsonb)))`
}
