// The queue uses the database's time, which may be set back.
import { and, eq, gt, isNotNull, sql, type SQL } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { oneOf } from '../tables/kit.ts'
import { rateCounters } from '../tables/postgresql.ts'

export async function readDatabaseNow(q: Queries): Promise<number> {
  const [row] = await q.sql
    .select({ now: sql`now`.mapWith(Number) })
    .from(sql`(select ${q.now} as now) as clock`)
  return row!.now
}

/**
 * After the database's clock was set back by `ms`: what is due later is due as much earlier, but not before
 * now. If several processes do it, some waits are shorter than intended, none longer.
 */
export async function moveEarlier(
  q: Transaction,
  { ms, leaseMs, deliveryLeaseMs }: { ms: number; leaseMs: number; deliveryLeaseMs: number },
): Promise<void> {
  const { attempts, webhookDeliveries: deliveries, cooldowns } = q.tables
  const earlier = (at: SQL) => laterOf(q, sql`${at} - ${ms}`, q.now)
  for (const isWaiting of waitingStates(q))
    await q.sql
      .update(attempts)
      .set({ runAfter: earlier(sql`${attempts.runAfter}`) })
      .where(and(isWaiting, gt(attempts.runAfter, q.now)))
  // Held leases are renewed; others must not outlast a new one.
  const leaseEnd = sql`${q.now} + ${leaseMs}`
  await q.sql
    .update(attempts)
    .set({ leaseUntil: leaseEnd })
    .where(and(isNotNull(attempts.leaseUntil), gt(attempts.leaseUntil, leaseEnd)))
  await q.sql
    .update(deliveries)
    .set({ nextAt: earlier(sql`${deliveries.nextAt}`) })
    .where(and(sql`${deliveries.state} = 'PENDING'`, gt(deliveries.nextAt, q.now)))
  const deliveryLeaseEnd = sql`${q.now} + ${deliveryLeaseMs}`
  await q.sql
    .update(deliveries)
    .set({ leaseUntil: deliveryLeaseEnd })
    .where(gt(deliveries.leaseUntil, deliveryLeaseEnd))
  await q.sql
    .update(cooldowns)
    .set({ until: earlier(sql`${cooldowns.until}`) })
    .where(gt(cooldowns.until, q.now))
}

/**
 * Makes attempts and first deliveries due that were created in the future. An intended wait of up to `maxDelayMs`
 * remains.
 */
export async function releaseFromFuture(q: Transaction, maxDelayMs: number): Promise<void> {
  const { attempts, webhookDeliveries: deliveries } = q.tables
  const isOfFuture = gt(attempts.createdAt, sql`${q.now} + ${MAX_SKEW_MS}`)
  // PostgreSQL: created in the time of a process, whose clock may have been ahead.
  const latest = q.dialect === 'postgresql' ? sql`${q.now} + ${maxDelayMs}` : q.now
  const delay = sql`case when ${attempts.runAfter} - ${attempts.createdAt} between 0 and ${maxDelayMs} then ${attempts.runAfter} - ${attempts.createdAt} else 0 end`
  for (const isWaiting of waitingStates(q))
    await q.sql
      .update(attempts)
      .set({ runAfter: sql`${q.now} + ${delay}` })
      .where(and(isWaiting, isOfFuture, gt(attempts.runAfter, latest)))
  const isUntried = and(
    sql`${deliveries.state} = 'PENDING'`,
    eq(deliveries.tries, 0),
    gt(deliveries.createdAt, sql`${q.now} + ${MAX_SKEW_MS}`),
  )
  await q.sql
    .update(deliveries)
    .set({ nextAt: q.now })
    .where(and(isUntried, gt(deliveries.nextAt, q.now)))
}

/**
 * For waits scheduled while the clock was ahead. `checkMs` is the maximum for checks, downloads and cooldowns,
 * `lookupMs` for lookups of unknown outcomes, `deliveryMs` for deliveries. All are free of charge.
 */
export async function limitWaits(
  q: Transaction,
  { checkMs, lookupMs, deliveryMs }: { checkMs: number; lookupMs: number; deliveryMs: number },
): Promise<void> {
  const { attempts, cooldowns, webhookDeliveries: deliveries } = q.tables
  for (const isWaiting of waitingStates(q)) {
    const isUnknown = sql`${attempts.state} = 'UNKNOWN'`
    const latest = sql`case when ${isUnknown} then ${q.now} + ${lookupMs} else ${q.now} + ${checkMs} end`
    const isFree = sql`${attempts.state} <> 'PLANNED'`
    await q.sql
      .update(attempts)
      .set({ runAfter: latest })
      .where(and(isWaiting, isFree, gt(attempts.runAfter, latest)))
  }
  const until = sql`${q.now} + ${checkMs}`
  await q.sql.update(cooldowns).set({ until }).where(gt(cooldowns.until, until))
  const nextAt = sql`${q.now} + ${deliveryMs}`
  await q.sql
    .update(deliveries)
    .set({ nextAt })
    .where(and(sql`${deliveries.state} = 'PENDING'`, gt(deliveries.nextAt, nextAt)))
}

/** One per partial index. */
function waitingStates({ tables: { attempts } }: Queries): SQL[] {
  return [
    oneOf(attempts.state, ['PLANNED', 'ACCEPTED']),
    sql`${attempts.state} = 'FETCHING'`,
    sql`${attempts.state} = 'UNKNOWN'`,
  ]
}

/** Between the clocks of a process and of the database. */
const MAX_SKEW_MS = 60_000

/** Removes rate windows that end too late: the clock of a process was set back. */
export async function removeFutureWindows(q: Transaction, now: number): Promise<void> {
  if (q.dialect === 'sqlite') return
  await q.sql.delete(rateCounters).where(gt(rateCounters.expire, now + 2 * MAX_SKEW_MS))
}

function laterOf(q: Queries, a: SQL, b: SQL): SQL {
  return q.dialect === 'postgresql' ? sql`greatest(${a}, ${b})` : sql`max(${a}, ${b})`
}
