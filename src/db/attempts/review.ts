// What somebody has to look at: attempts of which nobody knows how they ended, or what they cost.
import { and, asc, eq, gt, or, sql, type SQL } from 'drizzle-orm'
import type { Queries } from '../connection/database.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

/** A page of a list in order of `since`. One more than `first` is asked for, to see if more follow. */
interface Page {
  first: number
  after?: { since: number; id: string } | undefined
}

/** The attempts of a project whose outcome is unknown, longest ago sent first. */
export function listUnknownOutcomes(q: Queries, projectId: string, page: Page): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  // Spelled out: with the state as a parameter, SQLite would not use the index that is only about it.
  return list(q, projectId, attempts.sentAt, sql`${attempts.state} = 'UNKNOWN'`, page)
}

/** Those that have ended with a possible charge of unknown cost, longest ago ended first. */
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
  return q.sql
    .select()
    .from(attempts)
    .where(
      and(
        eq(attempts.projectId, projectId),
        which,
        after && or(gt(since, after.since), and(eq(since, after.since), gt(attempts.id, after.id))),
      ),
    )
    .orderBy(asc(since), asc(attempts.id))
    .limit(first + 1)
}
