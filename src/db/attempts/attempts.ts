// The attempts table is the queue.
import { and, eq, inArray, isNotNull, isNull, lt, notInArray, or, sql } from 'drizzle-orm'
import type { AttemptState } from '../../domain.ts'
import { isWaiting } from './claim.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, rowBy, shaped, statement } from '../connection/statement.ts'
import { oneOf } from '../tables/kit.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type NewAttempt = Tables['attempts']['$inferInsert']

/** Wake-up key: an attempt may be due. */
export const QUEUE_KEY = 'queue'

/** Wake-up key: images may be due for a download. */
export const FETCH_KEY = 'fetch'

/** The epoch fences off a worker that lost its lease. */
export interface Lease {
  owner: string
  epoch: number
}

type PlannedAttempt = Omit<NewAttempt, 'runAfter' | 'state'>

/** Due in `delayMs`. */
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

export async function listQueuedProviders(q: Queries): Promise<string[]> {
  const { attempts } = q.tables
  const listOf = (fetching: boolean) =>
    q.sql.selectDistinct({ provider: attempts.provider }).from(attempts).where(isWaiting(q, fetching))
  const rows = [...(await listOf(false)), ...(await listOf(true))]
  return [...new Set(rows.map(({ provider }) => provider))]
}

/** 0 when one is due, undefined when none waits. `fetching` as in ClaimScope. */
export async function findNextDueMs(
  q: Queries,
  providers: string[],
  fetching: boolean,
): Promise<number | undefined> {
  if (providers.length === 0) return undefined
  const names = Object.fromEntries(providers.map((name, i) => [`provider${i}`, name]))
  const [row] = await nextDue(q, names, fetching)
  return row?.inMs == null ? undefined : Math.max(0, Number(row.inMs))
}

const nextDue = shaped<Record<string, string>, boolean, { inMs: number | string | null }[]>(
  'next_due',
  (q, names, fetching) => {
    const { attempts } = q.tables
    const isUnleased = and(isWaiting(q, fetching), isNull(attempts.leaseUntil))
    // SQLite would read the whole queue for min(…) of several providers.
    const ofEach = Object.values(names).map((name) => {
      const ofProvider = and(eq(attempts.provider, name), isUnleased)
      const due = q.sql.select({ runAfter: attempts.runAfter }).from(attempts).where(ofProvider)
      return sql`select run_after from (${due.orderBy(attempts.runAfter).limit(1)}) as first`
    })
    const inMs = sql<number | string | null>`min(run_after) - ${q.now}`
    return q.sql.select({ inMs }).from(sql`(${sql.join(ofEach, sql` union all `)}) as firsts`)
  },
)

/** `dueInMs` counts from the database's now. */
export type AttemptChange = Partial<Omit<NewAttempt, 'runAfter' | 'leaseUntil'>> & {
  dueInMs?: number
  leaseUntil?: null
}

/** Undefined when in no state of `from`, or `lease` was lost. */
export async function updateAttempt(
  q: Transaction,
  id: string,
  { from, to, lease }: { from: readonly AttemptState[]; to: AttemptState; lease?: Lease | undefined },
  { dueInMs, ...set }: AttemptChange = {},
): Promise<AttemptRow | undefined> {
  const shape = { from, isHeld: lease !== undefined, isDue: dueInMs !== undefined }
  const [row] = await changedAttempt(q, { ...set, state: to, ...lease, dueInMs, attemptId: id }, shape)
  return row
}

type ChangeValues = Omit<AttemptChange, 'id' | 'dueInMs'> &
  Partial<Lease> & { dueInMs?: number | undefined; attemptId: string }

interface ChangeShape {
  from: readonly AttemptState[]
  isHeld: boolean
  isDue: boolean
}

const changedAttempt = shaped<ChangeValues, ChangeShape, AttemptRow[]>(
  'update_attempt',
  (q, { attemptId, owner, epoch, dueInMs, ...set }, { from, isHeld, isDue }) => {
    const { attempts } = q.tables
    const due = isDue ? { runAfter: sql`${q.now} + ${dueInMs}` } : {}
    const ofLease = isHeld ? and(eq(attempts.leaseOwner, owner), eq(attempts.leaseEpoch, epoch)) : undefined
    return (
      q.sql
        .update(attempts)
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder is encoded as a value of its column
        .set({ ...(set as unknown as AttemptChange), ...due })
        .where(and(eq(attempts.id, attemptId), inArray(attempts.state, from), ofLease))
        .returning()
    )
  },
)

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

/** Hold the task's lock, which excludes other workers. */
export async function holdsLease(q: Transaction, id: string, lease: Lease): Promise<boolean> {
  const row = await findAnyAttempt(q, id)
  return row?.leaseOwner === lease.owner && row.leaseEpoch === lease.epoch
}

export async function listUnsent(q: Queries): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isUnsent = oneOf(attempts.state, ['PLANNED', 'LEASED'])
  return q.sql.select().from(attempts).where(isUnsent).orderBy(attempts.id)
}

/** Attempts with an expired lease; with `all`, with any lease. */
export async function listAbandoned(q: Queries, { all }: { all: boolean }): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isLeasable = inArray(attempts.state, ['LEASED', 'SENDING', 'ACCEPTED', 'FETCHING'])
  const isDead = all ? undefined : lt(attempts.leaseUntil, q.now)
  // isNotNull for the index of leases.
  const isAbandoned = and(isLeasable, isNotNull(attempts.leaseUntil), isDead)
  return q.sql.select().from(attempts).where(isAbandoned)
}

/** Accepted attempts of providers other than `providers`, unchecked for `overdueMs`. */
export async function listUncheckable(
  q: Queries,
  { providers, overdueMs }: { providers: readonly string[]; overdueMs: number | null },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isOverdue = overdueMs === null ? undefined : lt(attempts.runAfter, sql`${q.now} - ${overdueMs}`)
  const isUncheckable = and(
    // As in the condition of its index.
    isWaiting(q),
    sql`${attempts.state} = 'ACCEPTED'`,
    isNull(attempts.leaseUntil),
    notInArray(attempts.provider, [...providers]),
    isOverdue,
  )
  return q.sql.select().from(attempts).where(isUncheckable)
}

/** Unclaimed for `overdueMs`; queued ones only where their provider is not configured. */
export async function listUnattended(
  q: Queries,
  { providers, overdueMs }: { providers: readonly string[]; overdueMs: number },
): Promise<AttemptRow[]> {
  const { attempts } = q.tables
  const isUnattended = and(
    isWaiting(q),
    or(sql`${attempts.state} = 'ACCEPTED'`, notInArray(attempts.provider, [...providers])),
    isNull(attempts.leaseUntil),
    lt(attempts.runAfter, sql`${q.now} - ${overdueMs}`),
  )
  return q.sql.select().from(attempts).where(isUnattended).orderBy(attempts.runAfter)
}

/** Undefined also for an attempt of another project. */
export const findAttempt = rowBy('attempts', 'projectId', 'id')

export const findAnyAttempt = rowBy('attempts', 'id')

/** In order of task, then number. */
export async function listAttempts(q: Queries, taskIds: readonly string[]): Promise<AttemptRow[]> {
  const [taskId] = taskIds
  if (taskId !== undefined && taskIds.length === 1) return attemptsOfTask(q, { taskId })
  const { attempts } = q.tables
  const ofTasks = inArray(attempts.taskId, taskIds)
  return q.sql.select().from(attempts).where(ofTasks).orderBy(attempts.taskId, attempts.number)
}

const attemptsOfTask = statement<{ taskId: string }, AttemptRow[]>('attempts_of_task', (q) => {
  const { attempts } = q.tables
  const ofTask = eq(attempts.taskId, sql.placeholder('taskId'))
  return q.sql.select().from(attempts).where(ofTask).orderBy(attempts.number)
})
