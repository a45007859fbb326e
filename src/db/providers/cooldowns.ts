import { and, eq, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { PROVIDERS_KEY } from '../connection/wake-up-keys.ts'
import type { Tables } from '../tables/tables.ts'

export type CooldownRow = Tables['cooldowns']['$inferSelect'] & {
  /** Once expired, one attempt at a time probes the provider. */
  inCooldown: boolean
}

/** Of a cooldown for a whole provider. */
export const ALL_MODELS = ''

/** Includes expired ones. */
export async function listCooldowns(q: Queries): Promise<CooldownRow[]> {
  const rows = await allCooldowns(q, {})
  return rows.map((row) => ({ ...row, inCooldown: Boolean(row.inCooldown) }))
}

type SelectedCooldown = Omit<CooldownRow, 'inCooldown'> & { inCooldown: boolean | number }

const allCooldowns = statement<Record<string, never>, SelectedCooldown[]>('cooldowns', (q) => {
  const { cooldowns } = q.tables
  return q.sql
    .select({
      provider: cooldowns.provider,
      model: cooldowns.model,
      until: cooldowns.until,
      reason: cooldowns.reason,
      since: cooldowns.since,
      inCooldown: sql<boolean | number>`${cooldowns.until} is null or ${cooldowns.until} > ${q.now}`,
    })
    .from(cooldowns)
})

/** A pause when `forMs` is null. A cooldown neither shortens a longer one nor replaces a pause. */
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
  q.wakeUp(PROVIDERS_KEY)
}

/** Without `paused`, only an expired one. */
export async function removeCooldown(
  q: Transaction,
  { provider, model }: { provider: string; model: string },
  { paused }: { paused: boolean },
): Promise<void> {
  const { cooldowns } = q.tables
  const isExpired = paused ? undefined : sql`${cooldowns.until} <= ${q.now}`
  await q.sql
    .delete(cooldowns)
    .where(and(eq(cooldowns.provider, provider), eq(cooldowns.model, model), isExpired))
  q.wakeUp(PROVIDERS_KEY)
}
