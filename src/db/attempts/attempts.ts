// The queue: an attempt's row says when it is due, who works on it and until when that counts.
import { and, asc, eq, inArray, isNotNull, isNull, lt, ne, sql } from 'drizzle-orm'
import type { AttemptState } from '../../domain.ts'
import { isWaiting } from './claim.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, statement } from '../connection/statement.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type NewAttempt = Tables['attempts']['$inferInsert']

/** What runners wait for: an attempt that is due. */
export const QUEUE_KEY = 'queue'

/** Proof of a claim. A write that carries it touches nothing once the lease was lost and taken by another. */
export interface Lease {
  owner: string
  epoch: number
}

/** Inserts an attempt that is due `delayMs` from now, and wakes the runners. */
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

/** The providers that attempts wait for, each once. */
export async function listAwaited(q: Queries): Promise<string[]> {
  const { attempts } = q.tables
  const rows = await q.sql.selectDistinct({ provider: attempts.provider }).from(attempts).where(isWaiting(q))
  return rows.map(({ provider }) => provider)
}

/** How long until the next attempt of these providers is due; undefined when none is waiting, 0 when one is due. */
export async function findNextDueMs(q: Queries, providers: string[]): Promise<number | undefined> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .select({ inMs: sql<number | string | null>`min(${attempts.runAfter}) - ${q.now}` })
    .from(attempts)
    .where(and(inArray(attempts.provider, providers), isWaiting(q), isNull(attempts.leaseUntil)))
  const inMs = row?.inMs ?? undefined
  return inMs === undefined ? undefined : Math.max(0, Number(inMs))
}

/** What a move writes besides the state. `dueInMs` counts from now, in the database's time. */
export type AttemptChange = Partial<Omit<NewAttempt, 'runAfter' | 'leaseUntil'>> & {
  dueInMs?: number
  leaseUntil?: null
}

/**
 * Moves an attempt from one of `from` to `to`, with further columns; undefined when it does not stand there any more,
 * or when `lease` is given and was lost. The only way an attempt changes its state after a claim.
 */
export async function moveAttempt(
  q: Transaction,
  id: string,
  move: { from: readonly AttemptState[]; to: AttemptState; lease?: Lease | undefined },
  { dueInMs, ...set }: AttemptChange = {},
): Promise<AttemptRow | undefined> {
  const { attempts } = q.tables
  const [row] = await q.sql
    .update(attempts)
    .set({ ...set, state: move.to, ...(dueInMs !== undefined && { runAfter: sql`${q.now} + ${dueInMs}` }) })
    .where(
      and(
        eq(attempts.id, id),
        inArray(attempts.state, [...move.from]),
        move.lease && eq(attempts.leaseOwner, move.lease.owner),
        move.lease && eq(attempts.leaseEpoch, move.lease.epoch),
      ),
    )
    .returning()
  return row
}

/** Renews a worker's leases on these attempts, as far as it still holds them. */
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

/** Whether a claim still counts. Ask under the task's lock, where nobody can take it away meanwhile. */
export async function holdsLease(q: Transaction, id: string, lease: Lease): Promise<boolean> {
  const [row] = await attemptById(q, { id })
  return row?.leaseOwner === lease.owner && row.leaseEpoch === lease.epoch
}

/** Attempts that wait to be sent, as far as this database knows. */
export async function listUnsent(q: Queries): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(sql`${attempts.state} in ('PLANNED', 'LEASED')`)
    .orderBy(asc(attempts.id))
}

/** Attempts whose lease has run out, or every leased one but `notOwner`'s when `all`: their worker is dead or stuck. */
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
        // Whoever has an owner has a lease, and leases have an index.
        isNotNull(attempts.leaseUntil),
        which.all ? ne(attempts.leaseOwner, which.notOwner) : lt(attempts.leaseUntil, q.now),
      ),
    )
}

const attemptById = statement<{ id: string }, AttemptRow[]>(
  'attempt_by_id',
  ({ sql: from, tables: { attempts } }) =>
    from
      .select()
      .from(attempts)
      .where(eq(attempts.id, sql.placeholder('id'))),
)

const attemptOfProject = statement<{ id: string; projectId: string }, AttemptRow[]>(
  'attempt_of_project',
  ({ sql: from, tables: { attempts } }) =>
    from
      .select()
      .from(attempts)
      .where(
        and(eq(attempts.id, sql.placeholder('id')), eq(attempts.projectId, sql.placeholder('projectId'))),
      ),
)

/** An attempt of a project; undefined when there is none, or when it is another project's. */
export async function findAttempt(
  q: Queries,
  projectId: string,
  id: string,
): Promise<AttemptRow | undefined> {
  const [row] = await attemptOfProject(q, { id, projectId })
  return row
}

/** An attempt of whichever project, for the engine's own work. */
export async function findAnyAttempt(q: Queries, id: string): Promise<AttemptRow | undefined> {
  const [row] = await attemptById(q, { id })
  return row
}

/** All attempts of some tasks, each task's in order of number. */
export async function listAttempts(q: Queries, taskIds: readonly string[]): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  return q.sql
    .select()
    .from(attempts)
    .where(inArray(attempts.taskId, [...taskIds]))
    .orderBy(asc(attempts.taskId), asc(attempts.number))
}
