import { and, eq, lt, ne, or, sql } from 'drizzle-orm'
import type { Queries } from './database.ts'
import type { AttemptRow } from './tables.ts'

/** How many attempts a task has had. */
export async function countAttempts(q: Queries, taskId: string): Promise<number> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .select({ count: sql<number | string>`count(*)` })
    .from(attempts)
    .where(eq(attempts.taskId, taskId))
  return Number(row?.count ?? 0)
}

/** How many attempts of a part were or may have been charged. */
export async function countCharges(q: Queries, taskId: string, part: number): Promise<number> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .select({ count: sql<number | string>`count(*)` })
    .from(attempts)
    .where(and(eq(attempts.taskId, taskId), eq(attempts.part, part), ne(attempts.charged, 'NO')))
  return Number(row?.count ?? 0)
}

/** How many attempts stand in the queue of the same provider before this one. */
export async function countAhead(q: Queries, attempt: AttemptRow): Promise<number> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .select({ count: sql<number | string>`count(*)` })
    .from(attempts)
    .where(
      and(
        eq(attempts.provider, attempt.provider),
        sql`${attempts.state} = 'PLANNED'`,
        or(
          lt(attempts.runAfter, attempt.runAfter),
          and(eq(attempts.runAfter, attempt.runAfter), lt(attempts.id, attempt.id)),
        ),
      ),
    )
  return Number(row?.count ?? 0)
}

/** How many attempts wait for a provider, and how many it works on. */
export async function countByProvider(
  q: Queries,
  provider: string,
): Promise<{ queued: number; running: number }> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .select({
      queued: sql<
        number | string
      >`coalesce(sum(case when ${attempts.state} in ('PLANNED', 'LEASED') then 1 else 0 end), 0)`,
      running: sql<
        number | string
      >`coalesce(sum(case when ${attempts.state} in ('SENDING', 'ACCEPTED') then 1 else 0 end), 0)`,
    })
    .from(attempts)
    .where(
      and(
        eq(attempts.provider, provider),
        // Spelled out: with the states as parameters, SQLite would not use the index that is only about them.
        sql`${attempts.state} in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED')`,
      ),
    )
  return { queued: Number(row?.queued ?? 0), running: Number(row?.running ?? 0) }
}
