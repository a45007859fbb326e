import { and, desc, eq, sql } from 'drizzle-orm'
import type { Queries } from '../connection/database.ts'

/** From sending to stored images, of an attempt that succeeded. */
export interface MeasuredDuration {
  ms: number
  size: string
  quality: string
}

/** The latest ones of a provider and model. */
export function listDurations(
  q: Queries,
  { provider, model, limit }: { provider: string; model: string; limit: number },
): Promise<MeasuredDuration[]> {
  const { attempts, tasks } = q.tables
  const isMeasured = and(
    eq(attempts.provider, provider),
    eq(attempts.model, model),
    sql`${attempts.state} = 'SUCCEEDED'`,
  )
  return q.sql
    .select({
      ms: sql`${attempts.finishedAt} - ${attempts.sentAt}`.mapWith(Number),
      size: sql<string>`${tasks.request} ->> 'size'`,
      quality: sql<string>`${tasks.request} ->> 'quality'`,
    })
    .from(attempts)
    .innerJoin(tasks, eq(tasks.id, attempts.taskId))
    .where(isMeasured)
    .orderBy(desc(attempts.finishedAt))
    .limit(limit)
}
