// Keyset pagination: the cost of a page does not depend on its place.
import { and, asc, desc, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Queries } from './database.ts'

/** The value that orders the list, and the id for equal values. */
export interface Position {
  at: number
  id: string
}

/** Between two positions, exclusive: the first rows, or with `fromEnd` the last ones. */
export interface PageRange {
  limit: number
  after?: Position | undefined
  before?: Position | undefined
  fromEnd?: boolean | undefined
}

interface Order {
  /** Absent when the ids alone order the list. */
  at?: AnyColumn | SQL
  id: AnyColumn | SQL
  /** By default the position itself. */
  boundOf?: (one: Position) => SQL
  descending?: boolean
}

/** `read` returns the first `range.limit` rows in the given order. */
export async function readRange<Row>(
  range: PageRange,
  order: Order,
  read: (isInRange: SQL | undefined, orderBy: SQL[]) => Promise<Row[]>,
): Promise<Row[]> {
  const { isInRange, orderBy } = seek(range, order)
  const rows = await read(isInRange, orderBy)
  return range.fromEnd ? rows.toReversed() : rows
}

/** The order is reversed with `range.fromEnd`. */
export function seek(
  { after, before, fromEnd = false }: PageRange,
  { at, id, descending = false, boundOf }: Order,
): { isInRange: SQL | undefined; orderBy: SQL[] } {
  // Both databases find the start of a row comparison in an index, which they do not with OR.
  const row = at === undefined ? sql`${id}` : sql`(${at}, ${id})`
  const ownValue = (one: Position) => (at === undefined ? sql`${one.id}` : sql`(${one.at}, ${one.id})`)
  const valueOf = boundOf ?? ownValue
  const isAfter = (one: Position) => sql`${row} ${sql.raw(descending ? '<' : '>')} ${valueOf(one)}`
  const isBefore = (one: Position) => sql`${row} ${sql.raw(descending ? '>' : '<')} ${valueOf(one)}`
  const direction = descending === fromEnd ? asc : desc
  const orderBy = at === undefined ? [direction(id)] : [direction(at), direction(id)]
  return { isInRange: and(after && isAfter(after), before && isBefore(before)), orderBy }
}

export async function countRows(q: Queries, table: PgTable, condition?: SQL): Promise<number> {
  const [row] = await q.sql
    .select({ rows: sql`count(*)`.mapWith(Number) })
    .from(table)
    .where(condition)
  return row!.rows
}
