import { and, eq, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { Tables } from '../tables/tables.ts'

export type RestRow = Tables['rests']['$inferSelect'] & {
  /** False once its time is over: then one attempt at a time probes whether the provider is well again. */
  resting: boolean
}

/** For all models of a provider. */
export const ALL_MODELS = ''

/** Every rest there is, over or not. */
export async function listRests(q: Queries): Promise<RestRow[]> {
  const { rests } = q.tables
  const rows = await q.sql
    .select({
      provider: rests.provider,
      model: rests.model,
      until: rests.until,
      reason: rests.reason,
      since: rests.since,
      resting: sql<boolean | number>`${rests.until} is null or ${rests.until} > ${q.now}`,
    })
    .from(rests)
  return rows.map((row) => ({ ...row, resting: Boolean(row.resting) }))
}

/**
 * Gives a provider, or one model of it, no work for `forMs`; until it is resumed when that is null. A longer rest is
 * not shortened, and an operator's is not replaced.
 */
export async function putRest(
  q: Transaction,
  rest: { provider: string; model: string; forMs: number | null; reason: string; since: number },
): Promise<void> {
  const { rests } = q.tables
  const { provider, model, forMs, reason, since } = rest
  const until = forMs === null ? sql`null` : sql`${q.now} + ${forMs}`
  await q.sql
    .insert(rests)
    .values({ provider, model, reason, since, until })
    .onConflictDoUpdate({
      target: [rests.provider, rests.model],
      set: { until, reason, since },
      setWhere: forMs === null ? sql`true` : sql`${rests.until} is not null and ${rests.until} < ${until}`,
    })
}

/** Ends a rest. Without `paused` only when its time is over: an operator's stays. */
export async function removeRest(
  q: Transaction,
  rest: { provider: string; model: string },
  which: { paused: boolean },
): Promise<void> {
  const { rests } = q.tables
  await q.sql
    .delete(rests)
    .where(
      and(
        eq(rests.provider, rest.provider),
        eq(rests.model, rest.model),
        which.paused ? undefined : sql`${rests.until} <= ${q.now}`,
      ),
    )
}
