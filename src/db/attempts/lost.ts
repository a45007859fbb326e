// Attempts whose answer was lost together with the upstream's id for the order, and when they are looked for there.
import { and, asc, eq, inArray, isNull, lt, lte, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { AttemptRow } from '../tables/tables.ts'

/**
 * The UNKNOWN attempts at these providers that have no remote id and are due for a look, the longest due first. Those
 * that were looked for `mostLooks` times are left to people. `missing` counts the looks.
 */
export async function listToLookFor(
  q: Queries,
  which: { providers: readonly string[]; mostLooks: number; limit: number },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(
      and(
        // Spelled out: with the state as a parameter, SQLite would not use the index that is only about it.
        sql`${attempts.state} = 'UNKNOWN'`,
        isNull(attempts.remoteId),
        inArray(attempts.provider, [...which.providers]),
        lt(attempts.missing, which.mostLooks),
        lte(attempts.runAfter, q.now),
      ),
    )
    .orderBy(asc(attempts.runAfter))
    .limit(which.limit)
}

/** Takes the next look at an attempt, whose follower is due in `nextInMs`; false when another process has taken it. */
export async function claimLook(
  q: Transaction,
  { id, missing }: Pick<AttemptRow, 'id' | 'missing'>,
  nextInMs: number,
): Promise<boolean> {
  const { attempts } = q.tables
  const claimed = await q.sql
    .update(attempts)
    .set({ missing: missing + 1, runAfter: sql`${q.now} + ${nextInMs}` })
    .where(
      and(
        eq(attempts.id, id),
        eq(attempts.missing, missing),
        sql`${attempts.state} = 'UNKNOWN'`,
        isNull(attempts.remoteId),
      ),
    )
    .returning({ id: attempts.id })
  return claimed.length > 0
}
