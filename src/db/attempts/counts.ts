import { and, eq, lt, ne, or, sql } from 'drizzle-orm'
import { waitingProjects } from './claim.ts'
import type { Queries } from '../connection/database.ts'
import type { AttemptRow } from '../tables/tables.ts'

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

/**
 * How many attempts at the same provider will be claimed before this one, as the queue stands: those of its project that
 * are older, and as many of each other project, since projects take turns. What is under way is not counted.
 */
export async function countAhead(q: Queries, attempt: AttemptRow): Promise<number> {
  const { attempts } = q.tables
  const { provider, projectId, runAfter, id } = attempt
  const [row] = await q.sql
    .select({ count: sql<number | string>`count(*)` })
    .from(attempts)
    .where(
      and(
        eq(attempts.provider, provider),
        eq(attempts.projectId, projectId),
        sql`${attempts.state} = 'PLANNED'`,
        or(lt(attempts.runAfter, runAfter), and(eq(attempts.runAfter, runAfter), lt(attempts.id, id))),
      ),
    )
  const older = Number(row?.count ?? 0)
  const oldestFirst = sql`order by ${attempts.runAfter}, ${attempts.id}`
  const theirs = sql`select ${attempts.runAfter} as since, row_number() over (${oldestFirst}) as place from ${attempts} where ${attempts.provider} = ${provider} and ${attempts.projectId} = waiting.project_id and ${attempts.state} = 'PLANNED' ${oldestFirst} limit ${older + 1}`
  const before = sql`(select count(*) from (${theirs}) as first where place <= ${older} or since < ${runAfter})`
  const [others] = await q.sql
    .select({ count: sql<number | string>`count` })
    .from(
      sql`(${waitingProjects(q, provider)} select coalesce(sum(${before}), 0) as count from waiting where project_id <> ${projectId}) as others`,
    )
  return older + Number(others?.count ?? 0)
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
