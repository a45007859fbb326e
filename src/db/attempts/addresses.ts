import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { ResultAddressRow, Tables } from '../tables/tables.ts'

export type NewAddress = Omit<Tables['resultAddresses']['$inferInsert'], 'receivedAt' | 'tries' | 'problem'>

/** `ageMs` is the time since it was received. */
export type StoredAddress = ResultAddressRow & { ageMs: number }

/** Skips addresses that are stored already. */
export async function insertAddresses(q: Transaction, rows: readonly NewAddress[]): Promise<void> {
  if (rows.length === 0) return
  const values = rows.map((row) => ({ ...row, receivedAt: sql`${q.now}` }))
  await q.sql.insert(q.tables.resultAddresses).values(values).onConflictDoNothing()
}

/** In order of attempt, then position. */
export async function listAddresses(q: Queries, attemptIds: readonly string[]): Promise<StoredAddress[]> {
  const { resultAddresses: addresses } = q.tables
  const rows = await q.sql
    .select({ address: addresses, ageMs: sql`${q.now} - ${addresses.receivedAt}`.mapWith(Number) })
    .from(addresses)
    .where(inArray(addresses.attemptId, attemptIds))
    .orderBy(asc(addresses.attemptId), asc(addresses.position))
  return rows.map(({ address, ageMs }) => ({ ...address, ageMs: Math.max(0, ageMs) }))
}

/** Of the whole database, oldest first. */
export async function listAllAddresses(q: Queries, limit: number): Promise<ResultAddressRow[]> {
  const { resultAddresses: addresses } = q.tables
  return q.sql.select().from(addresses).orderBy(addresses.receivedAt, addresses.attemptId).limit(limit)
}

/** Returns the positions that were still there: concurrent calls share none. */
export async function takeAddresses(
  q: Transaction,
  attemptId: string,
  positions: readonly number[],
): Promise<Set<number>> {
  if (positions.length === 0) return new Set()
  const { resultAddresses: addresses } = q.tables
  const taken = await q.sql
    .delete(addresses)
    .where(and(eq(addresses.attemptId, attemptId), inArray(addresses.position, positions)))
    .returning({ position: addresses.position })
  return new Set(taken.map(({ position }) => position))
}

/** A `url` replaces the stored one. */
export async function recordFailedFetch(
  q: Transaction,
  { attemptId, position }: Pick<ResultAddressRow, 'attemptId' | 'position'>,
  { problem, url }: { problem: string; url?: string | undefined },
): Promise<void> {
  const { resultAddresses: addresses } = q.tables
  await q.sql
    .update(addresses)
    .set({ problem, tries: sql`${addresses.tries} + 1`, ...(url !== undefined && { url }) })
    .where(and(eq(addresses.attemptId, attemptId), eq(addresses.position, position)))
}
