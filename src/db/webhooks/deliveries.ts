// The table is the outbox, as attempts are the queue.
import { and, eq, inArray, isNotNull, isNull, lt, ne, or, sql, type SQL } from 'drizzle-orm'
import type { DeliveryState } from '../../domain.ts'
import type { Lease } from '../attempts/attempts.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
import { insertion, rowBy } from '../connection/statement.ts'
import type { DeliveryRow, Tables, TryRow } from '../tables/tables.ts'

type NewDelivery = Omit<Tables['webhookDeliveries']['$inferInsert'], 'nextAt' | 'state'>

/** Wake-up key: a delivery may be due. */
export const OUTBOX_KEY = 'outbox'

/** Due now. */
export async function insertDelivery(q: Transaction, delivery: NewDelivery): Promise<void> {
  await newDelivery(q, delivery)
  q.wakeUp(OUTBOX_KEY)
}

const newDelivery = insertion<NewDelivery, unknown>(
  'delivery',
  ({ sql: into, tables: { webhookDeliveries }, now }, values) =>
    into.insert(webhookDeliveries).values({ ...values, state: 'PENDING', nextAt: now }),
)

/** Oldest first, at most `perSlot` leased per slot in all processes: a slow receiver delays no other. */
export async function claimDeliveries(
  q: Transaction,
  claim: { limit: number; perSlot: number; owner: string; leaseMs: number },
): Promise<DeliveryRow[]> {
  const { webhookDeliveries: deliveries } = q.tables
  const chosen = selectClaimable(q, claim)
  // PostgreSQL may run an IN (… LIMIT) more than once.
  const isChosen =
    q.dialect === 'postgresql'
      ? sql`${deliveries.id} = any(array(${chosen}))`
      : sql`${deliveries.id} in (${chosen})`
  const lease = {
    leaseOwner: claim.owner,
    leaseEpoch: sql`${deliveries.leaseEpoch} + 1`,
    leaseUntil: sql`${q.now} + ${claim.leaseMs}`,
  }
  // On PostgreSQL another process may have claimed them.
  return q.sql
    .update(deliveries)
    .set(lease)
    .where(and(isChosen, isClaimable(q)))
    .returning()
}

/**
 * Reads the first few of each slot along an index, so that its cost does not grow with the backlog of one
 * receiver.
 */
function selectClaimable(q: Queries, { limit, perSlot }: { limit: number; perSlot: number }): SQL {
  const { webhookDeliveries: deliveries } = q.tables
  const isPending = sql`${deliveries.state} = 'PENDING'`
  const nth = (n: number) => sql`
    select (
      select ${deliveries.id} from ${deliveries}
      where ${deliveries.slot} = slot_leases.slot and ${deliveries.nextAt} <= ${q.now} and ${isClaimable(q)}
      order by ${deliveries.nextAt}, ${deliveries.id} limit 1 offset ${n}
    ) as id from slot_leases where slot_leases.leased + ${n} < ${perSlot}`
  return sql`
    with recursive slots(slot) as (
      select min(${deliveries.slot}) from ${deliveries} where ${isPending}
      union all
      select (select min(${deliveries.slot}) from ${deliveries} where ${isPending} and ${deliveries.slot} > slots.slot)
      from slots where slots.slot is not null
    ), slot_leases as (
      select slots.slot, (
        select count(*) from ${deliveries}
        where ${isPending} and ${deliveries.leaseUntil} >= ${q.now} and ${deliveries.slot} = slots.slot
      ) as leased
      from slots where slots.slot is not null
    ), candidates as (${sql.join(
      Array.from({ length: perSlot }, (_, n) => nth(n)),
      sql` union all `,
    )})
    select ${deliveries.id} from candidates join ${deliveries} on ${deliveries.id} = candidates.id
    order by ${deliveries.nextAt}, ${deliveries.id} limit ${limit}`
}

/** Literal: SQLite ignores a partial index for a parameter. */
function isClaimable({ tables: { webhookDeliveries: deliveries }, now }: Queries) {
  return and(
    sql`${deliveries.state} = 'PENDING'`,
    or(isNull(deliveries.leaseUntil), lt(deliveries.leaseUntil, now)),
  )
}

/** 0: one is due; undefined: none waits. */
export async function findNextDeliveryMs(q: Queries): Promise<number | undefined> {
  const { webhookDeliveries: deliveries } = q.tables
  // SQLite would read the whole backlog for min(…).
  const inMs = sql<number | string>`${deliveries.nextAt} - ${q.now}`
  const query = q.sql.select({ inMs }).from(deliveries).where(isClaimable(q))
  const [row] = await query.orderBy(deliveries.nextAt).limit(1)
  return row && Math.max(0, Number(row.inMs))
}

export type NextDeliveryState =
  | { state: 'PENDING'; waitMs: number }
  | { state: 'SUCCEEDED' | 'FAILED'; at: number }

/** False if the lease was lost. */
export async function insertTry(
  q: Transaction,
  { delivery, lease }: { delivery: DeliveryRow; lease: Lease },
  { at, durationMs, httpStatus, failure }: Omit<TryRow, 'deliveryId' | 'number'>,
  next: NextDeliveryState,
): Promise<boolean> {
  const { webhookDeliveries: deliveries, webhookTries } = q.tables
  const [row] = await q.sql
    .update(deliveries)
    .set({
      ...NO_LEASE,
      state: next.state,
      tries: sql`${deliveries.tries} + 1`,
      step: sql`${deliveries.step} + 1`,
      ...(next.state === 'PENDING' ? { nextAt: sql`${q.now} + ${next.waitMs}` } : { finishedAt: next.at }),
    })
    .where(and(eq(deliveries.id, delivery.id), eq(deliveries.state, 'PENDING'), holds(q, lease)))
    .returning({ tries: deliveries.tries })
  if (!row) return false
  const key = { deliveryId: delivery.id, number: row.tries }
  await q.sql.insert(webhookTries).values({ ...key, at, durationMs, httpStatus, failure })
  return true
}

/** Due now, for any process. */
export async function releaseDelivery(q: Transaction, id: string, lease: Lease): Promise<void> {
  const { webhookDeliveries: deliveries } = q.tables
  await q.sql
    .update(deliveries)
    .set(NO_LEASE)
    .where(and(eq(deliveries.id, id), holds(q, lease)))
}

/** For a process that owns the database: other leases are dead. */
export async function releaseAllDeliveries(q: Transaction, owner: string): Promise<void> {
  const { webhookDeliveries: deliveries } = q.tables
  // For the index of leases.
  const isLeased = and(sql`${deliveries.state} = 'PENDING'`, isNotNull(deliveries.leaseUntil))
  await q.sql
    .update(deliveries)
    .set(NO_LEASE)
    .where(and(isLeased, ne(deliveries.leaseOwner, owner)))
}

export async function failDeliveries(q: Transaction, endpointId: string, at: number): Promise<void> {
  const { webhookDeliveries: deliveries } = q.tables
  const failed = { ...NO_LEASE, state: 'FAILED' as const, finishedAt: at }
  const isPending = and(eq(deliveries.endpointId, endpointId), eq(deliveries.state, 'PENDING'))
  await q.sql.update(deliveries).set(failed).where(isPending)
}

/** At the first back-off step, due now. */
export async function restartDelivery(q: Transaction, id: string): Promise<DeliveryRow> {
  const { webhookDeliveries: deliveries } = q.tables
  const due = { state: 'PENDING' as const, step: 0, nextAt: q.now, finishedAt: null }
  const [row] = await q.sql.update(deliveries).set(due).where(eq(deliveries.id, id)).returning()
  if (!row) throw new Error(`There is no delivery ${id}.`)
  q.wakeUp(OUTBOX_KEY)
  return row
}

/** Undefined also for a delivery of another project. */
export const findDelivery = rowBy('webhookDeliveries', 'projectId', 'id')

export interface DeliveryFilter {
  endpointId?: string | undefined
  state?: DeliveryState | undefined
}

/** Newest first. */
export function listDeliveries(
  q: Queries,
  projectId: string,
  filter: DeliveryFilter,
  range: PageRange,
): Promise<DeliveryRow[]> {
  const { webhookDeliveries: deliveries } = q.tables
  return readRange(range, { id: deliveries.id, descending: true }, (isInRange, orderBy) =>
    q.sql
      .select()
      .from(deliveries)
      .where(and(isListed(q, projectId, filter), isInRange))
      .orderBy(...orderBy)
      .limit(range.limit),
  )
}

export function countDeliveries(q: Queries, projectId: string, filter: DeliveryFilter): Promise<number> {
  return countRows(q, q.tables.webhookDeliveries, isListed(q, projectId, filter))
}

function isListed(q: Queries, projectId: string, { endpointId, state }: DeliveryFilter): SQL | undefined {
  const { webhookDeliveries: deliveries } = q.tables
  return and(
    eq(deliveries.projectId, projectId),
    endpointId === undefined ? undefined : eq(deliveries.endpointId, endpointId),
    state === undefined ? undefined : eq(deliveries.state, state),
  )
}

/** Oldest first. */
export async function listDeliveriesOfTasks(q: Queries, taskIds: readonly string[]): Promise<DeliveryRow[]> {
  const { webhookDeliveries: deliveries } = q.tables
  return q.sql.select().from(deliveries).where(inArray(deliveries.taskId, taskIds)).orderBy(deliveries.id)
}

/** In order of delivery, then number. */
export async function listTries(q: Queries, deliveryIds: readonly string[]): Promise<TryRow[]> {
  const { webhookTries: tries } = q.tables
  const ofDeliveries = inArray(tries.deliveryId, deliveryIds)
  return q.sql.select().from(tries).where(ofDeliveries).orderBy(tries.deliveryId, tries.number)
}

const NO_LEASE = { leaseOwner: null, leaseUntil: null }

function holds({ tables: { webhookDeliveries: deliveries } }: Queries, lease: Lease) {
  return and(eq(deliveries.leaseOwner, lease.owner), eq(deliveries.leaseEpoch, lease.epoch))
}
