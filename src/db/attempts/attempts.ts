// The attempts table is the queue: a row says when it is due, and which worker holds it until when.
import { and, asc, eq, inArray, isNotNull, isNull, lt, ne, sql } from 'drizzle-orm'
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

/** Inserts an attempt that is due in `delayMs`, and wakes the workers. */
export async function insertAttempt(
  q: Transaction,
  attempt: Omit<NewAttempt, 'runAfter' | 'state'>,
  delayMs: number,
): Promise<AttemptRow> {
  const [row] = await newAttempt(q, { ...attempt, delayMs })
  q.wakeUp(QUEUE_KEY)
  return row!
}

const newAttempt = insertion<Omit<NewAttempt, 'runAfter' | 'state'> & { delayMs: number }, AttemptRow[]>(
  'attempt',
  ({ sql: into, tables: { attempts }, now }, { delayMs, ...values }) =>
    into
      .insert(attempts)
      .values({ ...values, state: 'PLANNED', runAfter: sql`${now} + ${delayMs}` })
      .returning(),
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
  const [row] = await q.sql
    .select({ inMs: sql<number | string | null>`min(${attempts.runAfter}) - ${q.now}` })
    .from(attempts)
    .where(and(inArray(attempts.provider, providers), isWaiting(q), isNull(attempts.leaseUntil)))
  const inMs = row?.inMs ?? undefined
  return inMs === undefined ? undefined : Math.max(0, Number(inMs))
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
  change: { from: readonly AttemptState[]; to: AttemptState; lease?: Lease | undefined },
  { dueInMs, ...set }: AttemptChange = {},
): Promise<AttemptRow | undefined> {
  const { attempts } = q.tables
  const { from, to, lease } = change
  const [row] = await q.sql
    .update(attempts)
    .set({ ...set, state: to, ...(dueInMs !== undefined && { runAfter: sql`${q.now} + ${dueInMs}` }) })
    .where(
      and(
        eq(attempts.id, id),
        inArray(attempts.state, [...from]),
        lease && eq(attempts.leaseOwner, lease.owner),
        lease && eq(attempts.leaseEpoch, lease.epoch),
      ),
    )
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
  await q.sql
    .update(attempts)
    .set({ leaseUntil: sql`${q.now} + ${leaseMs}` })
    .where(and(eq(attempts.leaseOwner, owner), inArray(attempts.id, [...ids])))
}

/** Whether a claim is still valid. Call it under the task's lock, where no other worker can take the attempt. */
export async function holdsLease(q: Transaction, id: string, lease: Lease): Promise<boolean> {
  const row = await attemptById(q, { id })
  return row?.leaseOwner === lease.owner && row.leaseEpoch === lease.epoch
}

/** Attempts that were not sent, as far as this database knows. */
export async function listUnsent(q: Queries): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(oneOf(attempts.state, ['PLANNED', 'LEASED']))
    .orderBy(asc(attempts.id))
}

/** Attempts whose lease has expired; with `all`, every leased attempt except those of `notOwner`. */
export async function listAbandoned(
  q: Queries,
  which: { all: boolean; notOwner: string },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(
      and(
        inArray(attempts.state, ['LEASED', 'SENDING', 'ACCEPTED']),
        // For the index of leases.
        isNotNull(attempts.leaseUntil),
        which.all ? ne(attempts.leaseOwner, which.notOwner) : lt(attempts.leaseUntil, q.now),
      ),
    )
}

const attemptById = rowBy('attempts', 'id')
const attemptOfProject = rowBy('attempts', 'id', 'projectId')

/** An attempt of one project; undefined also when it is another project's. */
export function findAttempt(q: Queries, projectId: string, id: string): Promise<AttemptRow | undefined> {
  return attemptOfProject(q, { id, projectId })
}

/** An attempt of any project. */
export function findAnyAttempt(q: Queries, id: string): Promise<AttemptRow | undefined> {
  return attemptById(q, { id })
}

/** The attempts of some tasks, in order of task, then number. */
export async function listAttempts(q: Queries, taskIds: readonly string[]): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(inArray(attempts.taskId, [...taskIds]))
    .orderBy(asc(attempts.taskId), asc(attempts.number))
}
