// Pages of several ranges of one index, merged.
import { and, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { seek, type PageRange, type Position } from './keyset.ts'

/** Rows whose `key` is one of `keys`. The index begins with the key, the time and the id. */
export interface Ranges {
  from: SQL
  key: AnyColumn
  keys: Values
  at: AnyColumn
  id: AnyColumn
  /** Of the time: inclusive and exclusive. */
  period: { from?: number | undefined; to?: number | undefined }
  /** A condition that the index has. */
  isIn?: SQL | undefined
  /** Conditions that are looked up for each row. */
  rest?: SQL | undefined
}

/** So many rows the first window should have for each row of a page. */
const WINDOW_FACTOR = 4
const MIN_DEPTH = 4

/**
 * The first rows of a list by time and id, from the end that `range` tells. Of several ranges, windows of time are read:
 * each ends where one range has `depth` rows more, and so has up to `depth` rows of each.
 */
export async function readRanges(
  q: Queries,
  { from, key, keys, at, id, period, isIn, rest }: Ranges,
  descending: boolean,
  range: PageRange,
): Promise<Position[]> {
  if (keys.length === 0) return []
  const isFalling = descending !== (range.fromEnd ?? false)
  const by = sql.join(seek(range, { at, id, descending }).orderBy, sql`, `)
  const [above, below] = descending ? [range.before, range.after] : [range.after, range.before]
  let depth = Math.ceil((WINDOW_FACTOR * range.limit) / keys.length) + MIN_DEPTH
  let left = { from: period.from ?? -Infinity, to: period.to ?? Infinity }
  for (const found: Position[] = []; ; depth *= 2) {
    const edge = keys.length === 1 ? null : await edgeOf(depth, isWithin(left))
    const window = edge === null ? left : isFalling ? { ...left, from: edge } : { ...left, to: edge + 1 }
    const isMatch = and(isOneOf(q, key, keys), isWithin(window), rest)
    const page = sql`(select ${at} as at, ${id} as id from ${from} where ${isMatch} order by ${by} limit ${range.limit - found.length}) as page`
    found.push(...(await q.sql.select({ at: sql`at`.mapWith(Number), id: sql<string>`id` }).from(page)))
    if (edge === null || found.length >= range.limit) return found
    left = isFalling ? { ...left, to: edge } : { ...left, from: edge + 1 }
  }

  /** With one condition per side, because SQLite seeks by the first only. */
  function isWithin(bounds: { from: number; to: number }): SQL | undefined {
    const row = sql`(${at}, ${id})`
    const isAbove = above && above.at >= bounds.from ? sql`${row} > (${above.at}, ${above.id})` : undefined
    const isBelow = below && below.at < bounds.to ? sql`${row} < (${below.at}, ${below.id})` : undefined
    return and(
      isIn,
      isAbove ?? (bounds.from === -Infinity ? undefined : sql`${at} >= ${bounds.from}`),
      isBelow ?? (bounds.to === Infinity ? undefined : sql`${at} < ${bounds.to}`),
    )
  }

  async function edgeOf(nth: number, isLeft: SQL | undefined): Promise<number | null> {
    const isOfOne = and(sql`${key} = one.value`, isLeft)
    const edges = sql`(select (select ${at} from ${from} where ${isOfOne} order by ${by} limit 1 offset ${nth - 1}) as edge from ${rowsOf(q, keys)}) as edges`
    const first = sql.raw(isFalling ? 'max' : 'min')
    const [row] = await q.sql.select({ edge: sql<number | string | null>`${first}(edge)` }).from(edges)
    return row!.edge === null ? null : Number(row!.edge)
  }
}

/** Any number of values, each of which is a range of an index. Only the range of a single value keeps its order. */
export function isOneOf(q: Queries, column: AnyColumn | SQL, values: Values): SQL {
  if (values.length <= 1) return values.length === 1 ? sql`${column} = ${values[0]}` : sql`false`
  return q.dialect === 'sqlite'
    ? sql`${column} in (select value from json_each(${JSON.stringify(values)}))`
    : sql`${column} = any(${asArray(values)})`
}

/** As rows of one column, `value`. */
export function rowsOf(q: Queries, values: Values): SQL {
  return q.dialect === 'sqlite'
    ? sql`json_each(${JSON.stringify(values)}) as one`
    : sql`unnest(${asArray(values)}) as one(value)`
}

export type Values = readonly string[] | readonly number[]

/** PostgreSQL stores no NUL, so no row equals a text with one. */
function asArray(values: Values): SQL {
  const texts = values.map((value) => (typeof value === 'number' ? value : value.replaceAll('\0', '\uFFFD')))
  return typeof values[0] === 'number' ? sql`${sql.param(texts)}::int[]` : sql`${sql.param(texts)}::text[]`
}

/** The rows at the positions that `find` returns. A row that is deleted meanwhile is replaced by the next one. */
export async function readRows<Row extends { id: string }>(
  range: PageRange,
  find: (range: PageRange) => Promise<Position[]>,
  read: (ids: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let left = range; ;) {
    const places = await find(left)
    const ids = places.map(({ id }) => id)
    const byId = new Map((await read(ids)).map((row) => [row.id, row]))
    rows.push(...ids.flatMap((id) => byId.get(id) ?? []))
    const last = places.at(-1)
    if (last === undefined || places.length < left.limit || rows.length === range.limit)
      return range.fromEnd ? rows.toReversed() : rows
    left = { ...left, limit: range.limit - rows.length, [range.fromEnd ? 'before' : 'after']: last }
  }
}
