// Pages of several ranges of one index, merged.
import { and, sql, type AnyColumn, type SQL } from 'drizzle-orm'
import type { Queries } from '../connection/database.ts'
import { seek, type PageRange, type Position } from '../connection/keyset.ts'
import { isOneOf, rowsOf, type Values } from './filter.ts'

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
