// The attempts table is the queue: a row says when it is due, and which worker holds it until when.
import { and, eq, inArray, isNotNull, isNull, lt, ne, sql } from 'drizzle-orm'
import type { AttemptState } from '../../domain.ts'
import { isWaiting } from './claim.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, rowBy } from '../connection/statement.ts'
import { oneOf } from '../tables/kit.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type NewAttempt = Tables['attempts']['$inferInsert']

/** Wake-up key: an attempt may be due. */
export const QUEUE_KEY = 'queue'

/** Identifies a claim: the fencing epoch makes writes of a worker that lost its lease fail. */
export interface Lease {
  owner: string
  epoch: number
}

type PlannedAttempt = Omit<NewAttempt, 'runAfter' | 'state'>

/** Inserts an attempt that is due in `delayMs`, and wakes the workers. */
export async function insertAttempt(
  q: Transaction,
  attempt: PlannedAttempt,
  delayMs: number,
): Promise<AttemptRow> {
  const [row] = await newAttempt(q, { ...attempt, delayMs })
  q.wakeUp(QUEUE_KEY)
  return row!
}

const newAttempt = insertion<PlannedAttempt & { delayMs: number }, AttemptRow[]>(
  'attempt',
  ({ sql: into, tables: { attempts }, now }, { delayMs, ...values }) => {
    const runAfter = sql`${now} + ${delayMs}`
    return into
      .insert(attempts)
      .values({ ...values, state: 'PLANNED', runAfter })
      .returning()
  },
)

/** The distinct providers with waiting attempts. */
export async function listQueuedProviders(q: Queries): Promise<string[]> {
  const { attempts } = q.tables
  const rows = await q.sql.selectDistinct({ provider: attempts.provider }).from(attempts).where(isWaiting(q))
  return rows.map(({ provider }) => provider)
}

/** Time until the next attempt of these providers is due; 0 when one is, undefined when none waits. */
export async function findNextDueMs(q: Queries, providers: string[]): Promise<number | undefined> {
  const { attempts } = q.tables
  const inMs = sql<number | string | null>`min(${attempts.runAfter}) - ${q.now}`
  const isUnleased = and(inArray(attempts.provider, providers), isWaiting(q), isNull(attempts.leaseUntil))
  const [row] = await q.sql.select({ inMs }).from(attempts).where(isUnleased)
  return row?.inMs == null ? undefined : Math.max(0, Number(row.inMs))
}

/** Columns written with a new state. `dueInMs` counts from the database's now. */
export type AttemptChange = Partial<Omit<NewAttempt, 'runAfter' | 'leaseUntil'>> & {
  dueInMs?: number
  leaseUntil?: null
}

/**
 * Changes the state of an attempt, with further columns. Undefined when it is in none of the `from` states, or when the
 * given `lease` was lost. After a claim, no other function changes a state.
 */
export async function updateAttempt(
  q: Transaction,
  id: string,
  { from, to, lease }: { from: readonly AttemptState[]; to: AttemptState; lease?: Lease | undefined },
  { dueInMs, ...set }: AttemptChange = {},
): Promise<AttemptRow | undefined> {
  const { attempts } = q.tables
  const due = dueInMs === undefined ? {} : { runAfter: sql`${q.now} + ${dueInMs}` }
  const isHeld = lease && and(eq(attempts.leaseOwner, lease.owner), eq(attempts.leaseEpoch, lease.epoch))
  const [row] = await q.sql
    .update(attempts)
    .set({ ...set, state: to, ...due })
    .where(and(eq(attempts.id, id), inArray(attempts.state, from), isHeld))
    .returning()
  return row
}

/** Renews those of a worker's leases that it still holds. */
export async function renewLeases(
  q: Transaction,
  owner: string,
  ids: readonly string[],
  leaseMs: number,
): Promise<void> {
  if (ids.length === 0) return
  const { attempts } = q.tables
  const leaseUntil = sql`${q.now} + ${leaseMs}`
  const isHeld = and(eq(attempts.leaseOwner, owner), inArray(attempts.id, ids))
  await q.sql.update(attempts).set({ leaseUntil }).where(isHeld)
}

/** Whether a claim is still valid. Call it under the task's lock, where no other worker can take the attempt. */
export async function holdsLease(q: Transaction, id: string, lease: Lease): Promise<boolean> {
  const row = await findAnyAttempt(q, id)
  return row?.leaseOwner === lease.owner && row.leaseEpoch === lease.epoch
}

/** Attempts that were not sent, as far as this database knows. */
export async function listUnsent(q: Queries): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isUnsent = oneOf(attempts.state, ['PLANNED', 'LEASED'])
  return q.sql.select().from(attempts).where(isUnsent).orderBy(attempts.id)
}

/** Attempts whose lease has expired; with `all`, every leased attempt except those of `notOwner`. */
export async function listAbandoned(
  q: Queries,
  { all, notOwner }: { all: boolean; notOwner: string },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isLeasable = inArray(attempts.state, ['LEASED', 'SENDING', 'ACCEPTED'])
  const isDead = all ? ne(attempts.leaseOwner, notOwner) : lt(attempts.leaseUntil, q.now)
  // isNotNull for the index of leases.
  const isAbandoned = and(isLeasable, isNotNull(attempts.leaseUntil), isDead)
  return q.sql.select().from(attempts).where(isAbandoned)
}

/** An attempt of one project; undefined also when it is another project's. */
export const findAttempt = rowBy('attempts', 'projectId', 'id')

/** An attempt of any project. */
export const findAnyAttempt = rowBy('attempts', 'id')

/** The attempts of some tasks, in order of task, then number. */
export async function listAttempts(q: Queries, taskIds: readonly string[]): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const ofTasks = inArray(attempts.taskId, taskIds)
  return q.sql.select().from(attempts).where(ofTasks).orderBy(attempts.taskId, attempts.number)
}
