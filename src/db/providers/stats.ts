import { and, desc, eq, gte, isNotNull, sql, type SQL } from 'drizzle-orm'
import type { TaskError } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'

export interface ProviderStats {
  attempts: number
  succeeded: number
  failedUncharged: number
  unknown: number
  /** Null without a success. */
  p50Ms: number | null
  p95Ms: number | null
}

const count = (which: SQL) => sql`count(*) filter (where ${which})`.mapWith(Number)

export async function readStats(q: Queries, provider: string, since: number): Promise<ProviderStats> {
  const { attempts } = q.tables
  const { state, charged, sentAt, finishedAt } = attempts
  const [counts] = await q.sql
    .select({
      attempts: sql`count(*)`.mapWith(Number),
      succeeded: count(sql`${state} = 'SUCCEEDED'`),
      failedUncharged: count(sql`${finishedAt} is not null and ${charged} = 'NO'`),
      unknown: count(sql`${state} = 'UNKNOWN' or (${finishedAt} is not null and ${charged} = 'UNKNOWN')`),
    })
    .from(attempts)
    .where(isSent(q, provider, since))
  const { succeeded } = counts!
  const durationMs = sql`${finishedAt} - ${sentAt}`
  /** Nearest rank. */
  const percentile = async (fraction: number) => {
    const [row] = await q.sql
      .select({ ms: durationMs.mapWith(Number) })
      .from(attempts)
      .where(and(isSent(q, provider, since), sql`${state} = 'SUCCEEDED'`))
      .orderBy(durationMs)
      .limit(1)
      .offset(Math.max(0, Math.ceil(succeeded * fraction) - 1))
    return row?.ms ?? null
  }
  return { ...counts!, p50Ms: await percentile(0.5), p95Ms: await percentile(0.95) }
}

/** By any project. */
export async function hasSentTo(q: Queries, provider: string): Promise<boolean> {
  const { id } = q.tables.attempts
  const rows = await q.sql
    .select({ id })
    .from(q.tables.attempts)
    .where(isSent(q, provider, 0))
    .limit(1)
  return rows.length > 0
}

/** Of attempts sent since a time; `projectId` null: of all projects. */
export async function findLastError(
  q: Queries,
  provider: string,
  { since, projectId }: { since: number; projectId: string | null },
): Promise<{ at: number; error: TaskError } | undefined> {
  const { attempts } = q.tables
  const { error, sentAt, finishedAt } = attempts
  const ofProject = projectId === null ? undefined : eq(attempts.projectId, projectId)
  const [row] = await q.sql
    .select({ at: sql`coalesce(${finishedAt}, ${sentAt})`.mapWith(Number), error })
    .from(attempts)
    .where(and(isSent(q, provider, since), isNotNull(error), ofProject))
    .orderBy(desc(sentAt))
    .limit(1)
  return row?.error ? { at: row.at, error: row.error } : undefined
}

function isSent({ tables: { attempts } }: Queries, provider: string, since: number): SQL | undefined {
  return and(eq(attempts.provider, provider), isNotNull(attempts.sentAt), gte(attempts.sentAt, since))
}
