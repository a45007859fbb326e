import { count, eq, gt, inArray, isNotNull, max, min, sql } from 'drizzle-orm'
import { listAssets } from '../tasks/assets.ts'
import { listDeletedImages } from '../tasks/deleted-images.ts'
import { listAddresses } from '../attempts/addresses.ts'
import { listAttempts } from '../attempts/attempts.ts'
import type { CallbackRow } from '../attempts/callbacks.ts'
import type { Queries } from '../connection/database.ts'
import { listDeliveriesOfTasks } from '../webhooks/deliveries.ts'
import { listAllEvents } from '../tasks/events.ts'
import { listLines } from '../money/ledger.ts'
import type { SpendingRow } from '../money/spending.ts'
import type {
  AssetRow,
  AttemptRow,
  DeletedImageRow,
  DeliveryRow,
  EventRow,
  LedgerRow,
  ResultAddressRow,
  TaskRow,
} from '../tables/tables.ts'
import type { UsageCountRow } from '../money/usage.ts'

export interface IntegrityPage {
  tasks: TaskRow[]
  attempts: AttemptRow[]
  events: EventRow[]
  assets: AssetRow[]
  deletedImages: DeletedImageRow[]
  callbacks: CallbackRow[]
  addresses: ResultAddressRow[]
  deliveries: DeliveryRow[]
  lines: LedgerRow[]
  /** The database's clock. */
  now: number
}

const TASKS_PER_PAGE = 500
const ATTEMPTS_PER_PAGE = 2000

export async function* listIntegrityPages(q: Queries): AsyncGenerator<IntegrityPage> {
  const { tasks } = q.tables
  const pages = paginate((after) =>
    q.sql.select().from(tasks).where(gt(tasks.id, after)).orderBy(tasks.id).limit(TASKS_PER_PAGE),
  )
  for await (const page of pages) yield readPage(q, page)
}

export function listAttemptPages(q: Queries): AsyncGenerator<AttemptRow[]> {
  const { attempts } = q.tables
  return paginate((after) =>
    q.sql.select().from(attempts).where(gt(attempts.id, after)).orderBy(attempts.id).limit(ATTEMPTS_PER_PAGE),
  )
}

async function* paginate<Row extends { id: string }>(
  read: (after: string) => PromiseLike<Row[]>,
): AsyncGenerator<Row[]> {
  for (let last: Row | undefined; ;) {
    const page = await read(last?.id ?? '')
    last = page.at(-1)
    if (!last) return
    yield page
  }
}

async function readPage(q: Queries, tasks: TaskRow[]): Promise<IntegrityPage> {
  const ids = tasks.map(({ id }) => id)
  const attempts = await listAttempts(q, ids)
  const attemptIds = attempts.map(({ id }) => id)
  const { callbacks, projects } = q.tables
  const [clock] = await q.sql.select({ now: q.now }).from(projects).limit(1)
  return {
    tasks,
    attempts,
    events: await listAllEvents(q, ids),
    assets: await listAssets(q, ids),
    deletedImages: await listDeletedImages(q, ids),
    callbacks: await q.sql.select().from(callbacks).where(inArray(callbacks.attemptId, attemptIds)),
    addresses: await listAddresses(q, attemptIds),
    deliveries: await listDeliveriesOfTasks(q, ids),
    lines: await listLines(q, attemptIds),
    now: Number(clock?.now),
  }
}

export async function listAllSpending(q: Queries): Promise<SpendingRow[]> {
  return q.sql.select().from(q.tables.spending)
}

export async function listAllUsage(
  q: Queries,
): Promise<{ days: UsageCountRow[]; quarterHours: UsageCountRow[] }> {
  const { usageDays, usageQuarterHours } = q.tables
  return {
    days: await q.sql.select().from(usageDays),
    quarterHours: await q.sql.select().from(usageQuarterHours),
  }
}

export interface FeedCount {
  projectId: string
  /** Of its newest event. */
  feedSeq: number
  /** The sum of `lastSeq` over its tasks. */
  counted: number
  events: number
  first: number | null
  last: number | null
}

export async function countFeeds(q: Queries): Promise<FeedCount[]> {
  const { projects, tasks, events } = q.tables
  const sums = q.sql
    .select({ projectId: tasks.projectId, counted: sql<number>`sum(${tasks.lastSeq})`.as('counted') })
    .from(tasks)
    .groupBy(tasks.projectId)
    .as('sums')
  return q.sql
    .select({
      projectId: projects.id,
      feedSeq: projects.feedSeq,
      counted: sql<number | string>`coalesce(max(${sums.counted}), 0)`.mapWith(Number),
      events: count(events.seq),
      first: min(events.feedSeq),
      last: max(events.feedSeq),
    })
    .from(projects)
    .leftJoin(sums, eq(sums.projectId, projects.id))
    .leftJoin(events, eq(events.projectId, projects.id))
    .groupBy(projects.id, projects.feedSeq)
}

export async function listRepeatedKeys(q: Queries): Promise<{ projectId: string; key: string }[]> {
  const { tasks } = q.tables
  const rows = await q.sql
    .select({ projectId: tasks.projectId, key: tasks.idempotencyKey })
    .from(tasks)
    .where(isNotNull(tasks.idempotencyKey))
    .groupBy(tasks.projectId, tasks.idempotencyKey)
    .having(sql`count(*) > 1`)
  return rows.flatMap(({ projectId, key }) => (key === null ? [] : [{ projectId, key }]))
}

export async function listRepeatedRemoteIds(q: Queries): Promise<{ provider: string; remoteId: string }[]> {
  const { attempts } = q.tables
  const rows = await q.sql
    .select({ provider: attempts.provider, remoteId: attempts.remoteId })
    .from(attempts)
    .where(isNotNull(attempts.remoteId))
    .groupBy(attempts.provider, attempts.remoteId)
    .having(sql`count(*) > 1`)
  return rows.flatMap(({ provider, remoteId }) => (remoteId === null ? [] : [{ provider, remoteId }]))
}
