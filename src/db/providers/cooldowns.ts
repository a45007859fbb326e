import { and, eq, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { Tables } from '../tables/tables.ts'

export type CooldownRow = Tables['cooldowns']['$inferSelect'] & {
  /** False once it has expired: then one attempt at a time probes whether the provider works again. */
  inCooldown: boolean
}

/** For all models of a provider. */
export const ALL_MODELS = ''

/** Every cooldown and pause, expired ones included. */
export async function listCooldowns(q: Queries): Promise<CooldownRow[]> {
  const { cooldowns } = q.tables
  const rows = await q.sql
    .select({
      provider: cooldowns.provider,
      model: cooldowns.model,
      until: cooldowns.until,
      reason: cooldowns.reason,
      since: cooldowns.since,
      inCooldown: sql<boolean | number>`${cooldowns.until} is null or ${cooldowns.until} > ${q.now}`,
    })
    .from(cooldowns)
  return rows.map((row) => ({ ...row, inCooldown: Boolean(row.inCooldown) }))
}

/**
 * Gives a provider, or one model of it, no new work for `forMs`; until an operator resumes it when that is null. A longer
 * cooldown is not shortened, and a pause is not replaced.
 */
export async function putCooldown(
  q: Transaction,
  cooldown: { provider: string; model: string; forMs: number | null; reason: string; since: number },
): Promise<void> {
  const { cooldowns } = q.tables
  const { provider, model, forMs, reason, since } = cooldown
  const until = forMs === null ? sql`null` : sql`${q.now} + ${forMs}`
  await q.sql
    .insert(cooldowns)
    .values({ provider, model, reason, since, until })
    .onConflictDoUpdate({
      target: [cooldowns.provider, cooldowns.model],
      set: { until, reason, since },
      setWhere:
        forMs === null ? sql`true` : sql`${cooldowns.until} is not null and ${cooldowns.until} < ${until}`,
    })
}

/** Ends a cooldown. Without `paused` only when it has expired: a pause stays. */
export async function removeCooldown(
  q: Transaction,
  cooldown: { provider: string; model: string },
  which: { paused: boolean },
): Promise<void> {
  const { cooldowns } = q.tables
  await q.sql
    .delete(cooldowns)
    .where(
      and(
        eq(cooldowns.provider, cooldown.provider),
        eq(cooldowns.model, cooldown.model),
        which.paused ? undefined : sql`${cooldowns.until} <= ${q.now}`,
      ),
    )
}
