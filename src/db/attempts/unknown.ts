import { and, eq, inArray, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { AttemptRow } from '../tables/tables.ts'

/** A literal, because SQLite does not use a partial index for a parameter. */
export function isUnknown({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.state} = 'UNKNOWN'`
}

/** As the condition of its index. */
export function isUnpriced({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.finishedAt} is not null and ${attempts.costMicros} is null and ${attempts.estimatedMicros} is null and ${attempts.charged} <> 'NO'`
}

/** As the condition of its index. */
export function isEstimated({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.estimatedMicros} is not null`
}

/** Attempts to look up at their provider by our id. `missingChecks` counts the lookups. */
export async function listDueLookups(
  q: Queries,
  { providers, maxLookups, limit }: { providers: readonly string[]; maxLookups: number; limit: number },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isDue = and(
    isUnknown(q),
    isNull(attempts.remoteId),
    inArray(attempts.provider, providers),
    lt(attempts.missingChecks, maxLookups),
    lte(attempts.runAfter, q.now),
  )
  return q.sql.select().from(attempts).where(isDue).orderBy(attempts.runAfter).limit(limit)
}

/** False when another process has claimed it. The next one is due in `nextInMs`. */
export async function claimLookup(
  q: Transaction,
  { id, missingChecks }: Pick<AttemptRow, 'id' | 'missingChecks'>,
  nextInMs: number,
): Promise<boolean> {
  const { attempts } = q.tables
  const isUnclaimed = and(
    eq(attempts.id, id),
    eq(attempts.missingChecks, missingChecks),
    isUnknown(q),
    isNull(attempts.remoteId),
  )
  const claimed = await q.sql
    .update(attempts)
    .set({ missingChecks: missingChecks + 1, runAfter: sql`${q.now} + ${nextInMs}` })
    .where(isUnclaimed)
    .returning({ id: attempts.id })
  return claimed.length > 0
}
