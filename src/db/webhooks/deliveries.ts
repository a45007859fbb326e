// The outbox: a delivery's row says when it is due, who sends it and until when that counts.
import { and, asc, desc, eq, inArray, isNotNull, isNull, lt, ne, or, sql, type SQL } from 'drizzle-orm'
import type { DeliveryState } from '../../domain.ts'
import type { Lease } from '../attempts/attempts.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion } from '../connection/statement.ts'
import type { DeliveryRow, Tables, TryRow } from '../tables/tables.ts'

type NewDelivery = Omit<Tables['webhookDeliveries']['$inferInsert'], 'nextAt' | 'state'>

/** What deliverers wait for: a delivery that is due. */
export const OUTBOX_KEY = 'outbox'

/** Puts a delivery into the outbox, due at once. */
export async function insertDelivery(q: Transaction, delivery: NewDelivery): Promise<void> {
  await newDelivery(q, delivery)
  q.wakeUp(OUTBOX_KEY)
}

const newDelivery = insertion<NewDelivery, unknown>(
  'delivery',
  ({ sql: into, tables: { webhookDeliveries }, now }, values) =>
    into.insert(webhookDeliveries).values({ ...values, state: 'PENDING', nextAt: now }),
)

/**
 * Leases up to `limit` due deliveries, oldest first, and never more than `perLane` of one lane at a time in all
 * processes together: what one receiver cannot take waits without standing in anybody's way.
 */
export async function claimDeliveries(
  q: Transaction,
  claim: { limit: number; perLane: number; owner: string; leaseMs: number },
): Promise<DeliveryRow[]> {
  const { webhookDeliveries: all } = q.tables
  const chosen = firstOfEachLane(q, claim)
  return (
    q.sql
      .update(all)
      .set({
        leaseOwner: claim.owner,
        leaseEpoch: sql`${all.leaseEpoch} + 1`,
        leaseUntil: sql`${q.now} + ${claim.leaseMs}`,
      })
      // Free still, because on PostgreSQL another process may have chosen the same ones a moment ago; and there, an
      // IN (… LIMIT) could be run more than once.
      .where(
        and(
          q.dialect === 'postgresql' ? sql`${all.id} = any(array(${chosen}))` : sql`${all.id} in (${chosen})`,
          waits(q),
        ),
      )
      .returning()
  )
}

/**
 * The ids of what may be claimed. It leaps from lane to lane along an index, and looks at the first few of each: what it
 * costs grows with the lanes and not with what waits in them, which is much when a receiver has been down for a day.
 */
function firstOfEachLane(q: Queries, { limit, perLane }: { limit: number; perLane: number }): SQL {
  const { webhookDeliveries: all } = q.tables
  const leased = sql`${all.state} = 'PENDING' and ${all.leaseUntil} >= ${q.now}`
  const nth = (n: number) => sql`
    select (
      select ${all.id} from ${all} where ${all.lane} = rooms.lane and ${all.nextAt} <= ${q.now} and ${waits(q)}
      order by ${all.nextAt}, ${all.id} limit 1 offset ${n}
    ) as id from rooms where rooms.busy + ${n} < ${perLane}`
  return sql`
    with recursive lanes(lane) as (
      select min(${all.lane}) from ${all} where ${all.state} = 'PENDING'
      union all
      select (select min(${all.lane}) from ${all} where ${all.state} = 'PENDING' and ${all.lane} > lanes.lane)
      from lanes where lanes.lane is not null
    ), rooms as (
      select lanes.lane, (select count(*) from ${all} where ${leased} and ${all.lane} = lanes.lane) as busy
      from lanes where lanes.lane is not null
    ), places as (${sql.join(
      Array.from({ length: perLane }, (_, n) => nth(n)),
      sql` union all `,
    )})
    select ${all.id} from places join ${all} on ${all.id} = places.id
    order by ${all.nextAt}, ${all.id} limit ${limit}`
}

/** On its way, and nobody has it. The state is written out, because no partial index serves a parameter. */
function waits({ tables: { webhookDeliveries: all }, now }: Queries) {
  return and(sql`${all.state} = 'PENDING'`, or(isNull(all.leaseUntil), lt(all.leaseUntil, now)))
}

/** How long until the next delivery is due; undefined when none is waiting, 0 when one is due. */
export async function findNextDeliveryMs(q: Queries): Promise<number | undefined> {
  const { webhookDeliveries: all } = q.tables
  // Not min(…), for which SQLite would read all that waits.
  const [row] = await q.sql
    .select({ inMs: sql<number | string>`${all.nextAt} - ${q.now}` })
    .from(all)
    .where(waits(q))
    .orderBy(asc(all.nextAt))
    .limit(1)
  return row && Math.max(0, Number(row.inMs))
}

/** Where a delivery stands after a try: `waitMs` from now it is tried again, or it has ended. */
export type AfterTry = { state: 'PENDING'; waitMs: number } | { state: 'SUCCEEDED' | 'FAILED'; at: number }

/** Writes a try down, and how its delivery goes on. False when the claim was lost: then nothing changes. */
export async function recordTry(
  q: Transaction,
  { delivery, lease }: { delivery: DeliveryRow; lease: Lease },
  { at, durationMs, httpStatus, failure }: Omit<TryRow, 'deliveryId' | 'number'>,
  after: AfterTry,
): Promise<boolean> {
  const { webhookDeliveries: all, webhookTries } = q.tables
  const ended = after.state !== 'PENDING'
  const [row] = await q.sql
    .update(all)
    .set({
      ...UNLEASED,
      state: after.state,
      tries: sql`${all.tries} + 1`,
      step: sql`${all.step} + 1`,
      ...(ended ? { finishedAt: after.at } : { nextAt: sql`${q.now} + ${after.waitMs}` }),
    })
    .where(and(eq(all.id, delivery.id), eq(all.state, 'PENDING'), holds(q, lease)))
    .returning({ tries: all.tries })
  if (!row) return false
  const place = { deliveryId: delivery.id, number: row.tries }
  await q.sql.insert(webhookTries).values({ ...place, at, durationMs, httpStatus, failure })
  return true
}

/** Gives a claimed delivery back untried: it is due at once, for anybody. */
export async function releaseDelivery(q: Transaction, id: string, lease: Lease): Promise<void> {
  const { webhookDeliveries: all } = q.tables
  await q.sql
    .update(all)
    .set(UNLEASED)
    .where(and(eq(all.id, id), holds(q, lease)))
}

/** Ends every lease but `owner`'s: for a process that has the database to itself, where the others are dead. */
export async function releaseAllDeliveries(q: Transaction, owner: string): Promise<void> {
  const { webhookDeliveries: all } = q.tables
  await q.sql
    .update(all)
    .set(UNLEASED)
    // The first two spelled out: the index is only about such rows.
    .where(and(sql`${all.state} = 'PENDING'`, isNotNull(all.leaseUntil), ne(all.leaseOwner, owner)))
}

/** Gives up all that is still on its way to a webhook. */
export async function failDeliveries(q: Transaction, endpointId: string, at: number): Promise<void> {
  const { webhookDeliveries: all } = q.tables
  await q.sql
    .update(all)
    .set({ ...UNLEASED, state: 'FAILED', finishedAt: at })
    .where(and(eq(all.endpointId, endpointId), eq(all.state, 'PENDING')))
}

/** Puts a delivery on its way again from the first step, due at once. */
export async function restartDelivery(q: Transaction, id: string): Promise<DeliveryRow> {
  const { webhookDeliveries: all } = q.tables
  const [row] = await q.sql
    .update(all)
    .set({ state: 'PENDING', step: 0, nextAt: q.now, finishedAt: null })
    .where(eq(all.id, id))
    .returning()
  if (!row) throw new Error(`There is no delivery ${id}.`)
  q.wakeUp(OUTBOX_KEY)
  return row
}

/** A delivery of a project; undefined when there is none, or when it is another project's. */
export async function findDelivery(
  q: Queries,
  projectId: string,
  id: string,
): Promise<DeliveryRow | undefined> {
  const { webhookDeliveries: all } = q.tables
  const [row] = await q.sql
    .select()
    .from(all)
    .where(and(eq(all.id, id), eq(all.projectId, projectId)))
  return row
}

/** Which deliveries to list; a field left out does not restrict. */
export interface DeliveryFilter {
  endpointId?: string | undefined
  state?: DeliveryState | undefined
}

/** A page of a project's deliveries, newest first, older than `before`. */
export async function listDeliveries(
  q: Queries,
  projectId: string,
  filter: DeliveryFilter,
  page: { first: number; before?: string | undefined },
): Promise<DeliveryRow[]> {
  const { webhookDeliveries: all } = q.tables
  return q.sql
    .select()
    .from(all)
    .where(
      and(
        eq(all.projectId, projectId),
        filter.endpointId === undefined ? undefined : eq(all.endpointId, filter.endpointId),
        filter.state === undefined ? undefined : eq(all.state, filter.state),
        page.before === undefined ? undefined : lt(all.id, page.before),
      ),
    )
    .orderBy(desc(all.id))
    .limit(page.first)
}

/** All deliveries of some tasks, oldest first. */
export async function listDeliveriesOf(q: Queries, taskIds: readonly string[]): Promise<DeliveryRow[]> {
  const { webhookDeliveries: all } = q.tables
  return q.sql
    .select()
    .from(all)
    .where(inArray(all.taskId, [...taskIds]))
    .orderBy(asc(all.id))
}

/** All tries of some deliveries, in order. */
export async function listTries(q: Queries, deliveryIds: readonly string[]): Promise<TryRow[]> {
  const { webhookTries: all } = q.tables
  return q.sql
    .select()
    .from(all)
    .where(inArray(all.deliveryId, [...deliveryIds]))
    .orderBy(asc(all.deliveryId), asc(all.number))
}

const UNLEASED = { leaseOwner: null, leaseUntil: null }

function holds({ tables: { webhookDeliveries: all } }: Queries, lease: Lease) {
  return and(eq(all.leaseOwner, lease.owner), eq(all.leaseEpoch, lease.epoch))
}
