import { and, asc, eq, gt, inArray, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

/** Returns one row more than `first`, to tell whether a next page exists. */
interface Page {
  first: number
  after?: { since: number; id: string } | undefined
}

/** A literal, because SQLite does not use a partial index for a parameter. */
export function isUnknown({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.state} = 'UNKNOWN'`
}

export function listUnknownOutcomes(q: Queries, projectId: string, page: Page): Promise<AttemptRow[]> {
  return list(q, projectId, q.tables.attempts.sentAt, isUnknown(q), page)
}

/** Ended attempts with a possible charge and no known cost. */
export function listUnpriced(q: Queries, projectId: string, page: Page): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const unpriced = sql`${attempts.finishedAt} is not null and ${attempts.costMicros} is null and ${attempts.charged} <> 'NO'`
  return list(q, projectId, attempts.finishedAt, unpriced, page)
}

async function list(
  q: Queries,
  projectId: string,
  since: Tables['attempts']['sentAt' | 'finishedAt'],
  which: SQL,
  { first, after }: Page,
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isAfter = after && or(gt(since, after.since), and(eq(since, after.since), gt(attempts.id, after.id)))
  return q.sql
    .select()
    .from(attempts)
    .where(and(eq(attempts.projectId, projectId), which, isAfter))
    .orderBy(asc(since), attempts.id)
    .limit(first + 1)
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
