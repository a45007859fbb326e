import { and, count, eq, gt, isNotNull, ne, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { oneOf } from '../tables/kit.ts'
import type { AttemptRow } from '../tables/tables.ts'
import { isWaiting } from './claim.ts'

export interface InProgress {
  provider: string
  model: string
  projectId: string
  /** A new request, not a check. */
  isSending: boolean
  count: number
}

const CLAIM_LOCK = 4_157_220_194
/** How long a stopped process may delay the claims of others. */
const MAX_IDLE = '2s'

/**
 * Attempts leased by workers other than `owner`. Until the commit, no other process counts or claims, so that all
 * respect the limits.
 */
export async function lockSlots(q: Transaction, owner: string): Promise<InProgress[]> {
  // Before the count: a statement sees what was committed before it began.
  await locked(q, {})
  return leasedByOthers(q, { owner })
}

const locked = statement<Record<string, never>, unknown[]>('lock_slots', ({ sql: from }) =>
  from
    .select({ idle: sql`idle`, lock: sql`lock` })
    .from(
      sql`(select set_config('idle_in_transaction_session_timeout', ${sql.raw(`'${MAX_IDLE}'`)}, true) as idle, pg_advisory_xact_lock(${sql.raw(String(CLAIM_LOCK))}) as lock) as locked`,
    ),
)

const leasedByOthers = statement<{ owner: string }, InProgress[]>('leased_by_others', leased)

function leased({ sql: from, tables: { attempts } }: Queries) {
  const isSending = sql<boolean>`${attempts.state} <> 'ACCEPTED'`
  const { provider, model, projectId } = attempts
  // isNotNull for the index of leases.
  const isOther = and(
    isNotNull(attempts.leaseUntil),
    ne(attempts.leaseOwner, sql.placeholder('owner')),
    oneOf(attempts.state, ['LEASED', 'SENDING', 'ACCEPTED']),
  )
  return from
    .select({ provider, model, projectId, isSending, count: count() })
    .from(attempts)
    .where(isOther)
    .groupBy(provider, model, projectId, isSending)
}

/** Unclaimed, in order of id. */
export async function listQueuedAt(
  q: Queries,
  { provider, model, after, limit }: { provider: string; model: string; after: string; limit: number },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isQueued = and(
    eq(attempts.provider, provider),
    isWaiting(q),
    sql`${attempts.state} = 'PLANNED'`,
    eq(attempts.model, model),
    gt(attempts.id, after),
  )
  return q.sql.select().from(attempts).where(isQueued).orderBy(attempts.id).limit(limit)
}
