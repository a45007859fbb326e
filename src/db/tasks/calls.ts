// Requests that wait for the result of a task. See decisions/023.
import { and, desc, eq, gt, inArray, lt, ne, notInArray, sql, type SQL } from 'drizzle-orm'
import type { CallState } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, shaped, statement } from '../connection/statement.ts'
import type { CallRow } from '../tables/tables.ts'

export type CallKey = Pick<CallRow, 'projectId' | 'caller' | 'fingerprint'>

type NewCall = CallKey & Pick<CallRow, 'id' | 'taskId' | 'instance' | 'openedAt'>

export async function insertCall(q: Transaction, call: NewCall, leaseMs: number): Promise<void> {
  await newCall(q, { ...call, leaseMs })
}

const newCall = insertion<NewCall & { leaseMs: number }, unknown>('call', (q, { leaseMs, ...call }) => {
  const closedAt = sql<number>`${q.now} + ${leaseMs}`
  return q.sql.insert(q.tables.calls).values({ ...call, state: 'OPEN', closedAt })
})

/** Before the response says that the outcome is unknown. The lease continues until it is delivered. */
export async function tellCall(q: Transaction, id: string, leaseMs: number): Promise<void> {
  const { calls } = q.tables
  await q.sql
    .update(calls)
    .set({ state: 'TOLD_UNKNOWN', closedAt: sql`${q.now} + ${leaseMs}` })
    .where(and(eq(calls.id, id), isOpen(q)))
}

/** Without effect unless it has a lease. */
export async function closeCall(q: Transaction, callId: string, state: CallState): Promise<void> {
  await closedCall(q, { callId, state, ...(state === 'TOLD_UNKNOWN' && { instance: '' }) }, null)
}

type ClosedCall = { callId: string } & Pick<CallRow, 'state'> & Partial<Pick<CallRow, 'instance'>>

const closedCall = shaped<ClosedCall, null, unknown>('close_call', (q, { callId, ...end }) => {
  const { calls } = q.tables
  const isCall = and(eq(calls.id, callId), inArray(calls.state, ['OPEN', 'TOLD_UNKNOWN']))
  return (
    q.sql
      .update(calls)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder is encoded as a value of its column
      .set({ ...(end as unknown as Pick<CallRow, 'state'>), closedAt: q.now })
      .where(isCall)
  )
})

/** False if no longer in a state of `from`. */
export async function claimCall(q: Transaction, id: string, from: CallState[]): Promise<boolean> {
  const { calls } = q.tables
  const claimed = await q.sql
    .update(calls)
    .set({ state: 'ATTACHED', closedAt: q.now })
    .where(and(eq(calls.id, id), inArray(calls.state, from)))
    .returning({ id: calls.id })
  return claimed.length === 1
}

/** Transactions about the same request run one after the other, on SQLite all. */
export async function lockCalls(q: Transaction, { projectId, caller, fingerprint }: CallKey): Promise<void> {
  if (q.dialect === 'sqlite') return
  const key = `${projectId} ${caller} ${fingerprint}`
  await q.sql
    .select({ locked: sql`pg_advisory_xact_lock(hashtextextended(${key}, 0))` })
    .from(sql`(select 1) as one`)
}

/** One request makes few identical calls. */
const MAX_CANDIDATES = 100

export interface UndeliveredCall extends CallRow {
  /** Closed, or its process has not renewed it. */
  isOver: boolean
}

/** Undelivered, or of unknown outcome, and not over for longer than `sinceMs`. Oldest first. */
export async function listUndelivered(q: Queries, key: CallKey, sinceMs: number): Promise<UndeliveredCall[]> {
  const { projectId, caller, fingerprint } = key
  const rows = await undelivered(q, { projectId, caller, fingerprint, sinceMs })
  // SQLite has numbers.
  return rows.map(({ call, isOver }) => ({ ...call, isOver: Boolean(isOver) }))
}

const undelivered = statement<CallKey & { sinceMs: number }, { call: CallRow; isOver: boolean | number }[]>(
  'undelivered_calls',
  (q) => {
    const { calls } = q.tables
    return q.sql
      .select({ call: calls, isOver: sql<boolean | number>`${calls.closedAt} <= ${q.now}` })
      .from(calls)
      .where(
        and(
          eq(calls.projectId, sql.placeholder('projectId')),
          eq(calls.caller, sql.placeholder('caller')),
          eq(calls.fingerprint, sql.placeholder('fingerprint')),
          inArray(calls.state, ['OPEN', 'UNDELIVERED', 'TOLD_UNKNOWN']),
          gt(calls.closedAt, sql`${q.now} - ${sql.placeholder('sinceMs')}`),
        ),
      )
      .orderBy(calls.openedAt, calls.id)
      .limit(MAX_CANDIDATES)
  },
)

/** Open, or closed within `sinceMs`; not attached to; newest first. */
export async function listRecent(q: Queries, key: CallKey, sinceMs: number): Promise<CallRow[]> {
  const { calls } = q.tables
  return q.sql
    .select()
    .from(calls)
    .where(and(isOf(q, key), ne(calls.state, 'ATTACHED'), gt(calls.closedAt, sql`${q.now} - ${sinceMs}`)))
    .orderBy(desc(calls.openedAt), desc(calls.id))
    .limit(MAX_CANDIDATES)
}

function isOf({ tables: { calls } }: Queries, { projectId, caller, fingerprint }: CallKey): SQL | undefined {
  return and(eq(calls.projectId, projectId), eq(calls.caller, caller), eq(calls.fingerprint, fingerprint))
}

export async function findCall(q: Queries, id: string): Promise<CallRow | undefined> {
  const { calls } = q.tables
  const [row] = await q.sql.select().from(calls).where(eq(calls.id, id))
  return row
}

export async function renewCalls(q: Transaction, ids: readonly string[], leaseMs: number): Promise<void> {
  const { calls } = q.tables
  const closedAt = sql`${q.now} + ${leaseMs}`
  await q.sql
    .update(calls)
    .set({ closedAt })
    .where(and(inArray(calls.id, [...ids]), inArray(calls.state, ['OPEN', 'TOLD_UNKNOWN'])))
}

/** All other processes are dead. */
export async function abandonCalls(q: Transaction, instance: string): Promise<void> {
  const { calls } = q.tables
  const isOther = and(
    notInArray(calls.instance, [instance, '']),
    inArray(calls.state, ['OPEN', 'TOLD_UNKNOWN']),
  )
  await q.sql.update(calls).set({ state: 'UNDELIVERED', closedAt: q.now }).where(isOther)
}

/** A literal, as in the condition of its index. */
function isOpen({ tables: { calls } }: Queries): SQL {
  return sql`${calls.state} = 'OPEN'`
}

export async function removeCalls(q: Transaction, closedMs: number): Promise<void> {
  const { calls } = q.tables
  await q.sql.delete(calls).where(lt(calls.closedAt, sql`${q.now} - ${closedMs}`))
}
