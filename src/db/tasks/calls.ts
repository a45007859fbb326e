// Requests that wait for the result of a task. See decisions/023.
import { and, desc, eq, gt, inArray, lt, lte, ne, or, sql, type SQL } from 'drizzle-orm'
import type { CallState } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import type { CallRow } from '../tables/tables.ts'

/** Calls with the same key are the same request of the same caller. */
export type CallKey = Pick<CallRow, 'projectId' | 'caller' | 'fingerprint'>

type NewCall = CallKey & Pick<CallRow, 'id' | 'taskId' | 'instance' | 'openedAt'>

export async function insertCall(q: Transaction, call: NewCall, leaseMs: number): Promise<void> {
  const closedAt = sql<number>`${q.now} + ${leaseMs}`
  await q.sql.insert(q.tables.calls).values({ ...call, state: 'OPEN', closedAt })
}

/** Without effect unless it is open, or was told what then did not arrive. */
export async function closeCall(q: Transaction, id: string, state: CallState): Promise<void> {
  const { calls } = q.tables
  const from: CallState[] = state === 'UNDELIVERED' ? ['OPEN', 'TOLD_UNKNOWN'] : ['OPEN']
  const which = and(eq(calls.id, id), inArray(calls.state, from))
  await q.sql.update(calls).set({ state, closedAt: q.now }).where(which)
}

/** False if another request was first. */
export async function claimCall(
  q: Transaction,
  { id, state }: Pick<CallRow, 'id' | 'state'>,
): Promise<boolean> {
  const { calls } = q.tables
  const isUnchanged = and(eq(calls.id, id), eq(calls.state, state))
  const claimed = await q.sql
    .update(calls)
    .set({ state: 'ATTACHED', closedAt: q.now })
    .where(isUnchanged)
    .returning({ id: calls.id })
  return claimed.length === 1
}

/** More are not tried: one request makes few identical calls. */
const MAX_CANDIDATES = 20

/** Whose result did not arrive, or was unknown, within `sinceMs`, oldest first. A call of a dead process is undelivered. */
export async function listUndelivered(q: Queries, key: CallKey, sinceMs: number): Promise<CallRow[]> {
  const { calls } = q.tables
  const isDead = and(eq(calls.state, 'OPEN'), lte(calls.closedAt, q.now))
  const isDue = or(inArray(calls.state, ['UNDELIVERED', 'TOLD_UNKNOWN']), isDead)
  return q.sql
    .select()
    .from(calls)
    .where(and(isOf(q, key), isDue, gt(calls.closedAt, sql`${q.now} - ${sinceMs}`)))
    .orderBy(calls.openedAt, calls.id)
    .limit(MAX_CANDIDATES)
}

/** Open, or closed within `sinceMs`, and not attached to, newest first. */
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
    .where(and(inArray(calls.id, [...ids]), isOpen(q)))
}

/** Those of all other processes, which are dead. */
export async function abandonCalls(q: Transaction, instance: string): Promise<void> {
  const { calls } = q.tables
  const isOther = and(ne(calls.instance, instance), isOpen(q))
  await q.sql.update(calls).set({ state: 'UNDELIVERED', closedAt: q.now }).where(isOther)
}

/** With a literal, as in the condition of its index. */
function isOpen({ tables: { calls } }: Queries): SQL {
  return sql`${calls.state} = 'OPEN'`
}

export async function removeCalls(q: Transaction, closedMs: number): Promise<void> {
  const { calls } = q.tables
  await q.sql.delete(calls).where(lt(calls.closedAt, sql`${q.now} - ${closedMs}`))
}
