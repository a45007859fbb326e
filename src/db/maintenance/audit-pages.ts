// Everything there is, a page at a time: for checks of the whole database.
import { asc, count, eq, gt, inArray, isNotNull, max, min, sql } from 'drizzle-orm'
import { listAssets } from '../tasks/assets.ts'
import { listAttempts } from '../attempts/attempts.ts'
import type { CallbackRow } from '../attempts/callbacks.ts'
import type { Queries } from '../connection/database.ts'
import { listDeliveriesOf } from '../webhooks/deliveries.ts'
import { listAllEvents } from '../tasks/events.ts'
import type { SpendingRow } from '../money/spending.ts'
import type { AssetRow, AttemptRow, DeliveryRow, EventRow, LedgerRow, TaskRow } from '../tables/tables.ts'
import type { UsageCountRow } from '../money/usage.ts'

/** Some tasks and all that belongs to them. */
export interface AuditPage {
  tasks: TaskRow[]
  attempts: AttemptRow[]
  events: EventRow[]
  assets: AssetRow[]
  callbacks: CallbackRow[]
  deliveries: DeliveryRow[]
  lines: LedgerRow[]
  /** The database's own clock, in milliseconds. */
  now: number
}

const TASKS_PER_PAGE = 500

/** All tasks, in order of id. */
export async function* listPages(q: Queries): AsyncGenerator<AuditPage> {
  const { tasks } = q.tables
  for (let after = ''; ;) {
    const page = await q.sql
      .select()
      .from(tasks)
      .where(gt(tasks.id, after))
      .orderBy(asc(tasks.id))
      .limit(TASKS_PER_PAGE)
    const last = page.at(-1)
    if (!last) return
    yield readPage(q, page)
    after = last.id
  }
}

async function readPage(q: Queries, tasks: TaskRow[]): Promise<AuditPage> {
  const ids = tasks.map(({ id }) => id)
  const attempts = await listAttempts(q, ids)
  return {
    tasks,
    attempts,
    events: await listAllEvents(q, ids),
    assets: await listAssets(q, ids),
    callbacks: await listCallbacksOf(q, attempts),
    deliveries: await listDeliveriesOf(q, ids),
    lines: await listLinesOf(q, attempts),
    now: await readClock(q),
  }
}

async function listCallbacksOf(q: Queries, attempts: AttemptRow[]): Promise<CallbackRow[]> {
  const called = attempts.filter(({ callbackSha256 }) => callbackSha256 !== null).map(({ id }) => id)
  const { callbacks } = q.tables
  return called.length === 0 ? [] : q.sql.select().from(callbacks).where(inArray(callbacks.attemptId, called))
}

async function listLinesOf(q: Queries, attempts: AttemptRow[]): Promise<LedgerRow[]> {
  const { ledger } = q.tables
  const ids = attempts.map(({ id }) => id)
  return ids.length === 0 ? [] : q.sql.select().from(ledger).where(inArray(ledger.attemptId, ids))
}

/** All attempts, in order of id. */
export async function* listAttemptPages(q: Queries): AsyncGenerator<AttemptRow[]> {
  const { attempts } = q.tables
  for (let after = ''; ;) {
    const page = await q.sql
      .select()
      .from(attempts)
      .where(gt(attempts.id, after))
      .orderBy(asc(attempts.id))
      .limit(ATTEMPTS_PER_PAGE)
    const last = page.at(-1)
    if (!last) return
    yield page
    after = last.id
  }
}

const ATTEMPTS_PER_PAGE = 2000

/** Every sum of what is held and spent. */
export async function sumSpending(q: Queries): Promise<SpendingRow[]> {
  return q.sql.select().from(q.tables.spending)
}

/** Everything that usage is counted in. */
export async function listUsage(q: Queries): Promise<{ days: UsageCountRow[]; quarters: UsageCountRow[] }> {
  const { usageDays, usageQuarters } = q.tables
  return { days: await q.sql.select().from(usageDays), quarters: await q.sql.select().from(usageQuarters) }
}

async function readClock(q: Queries): Promise<number> {
  const [row] = await q.sql.select({ now: q.now }).from(q.tables.projects).limit(1)
  return Number(row?.now)
}

/** What the feed of a project says it holds, and what it holds. */
export interface FeedCount {
  projectId: string
  /** The number of its newest event. */
  feedSeq: number
  /** What the tasks say of their newest events, summed up: every event has a number in its task and one in the feed. */
  counted: number
  events: number
  /** Null when there is none. */
  first: number | null
  last: number | null
}

/** The feed of every project. */
export async function countFeeds(q: Queries): Promise<FeedCount[]> {
  const { projects, tasks, events } = q.tables
  return q.sql
    .select({
      projectId: projects.id,
      feedSeq: projects.feedSeq,
      counted: sql<number | string>`(
        select coalesce(sum(${tasks.lastSeq}), 0) from ${tasks} where ${tasks.projectId} = ${projects.id}
      )`.mapWith(Number),
      events: count(events.seq),
      first: min(events.feedSeq),
      last: max(events.feedSeq),
    })
    .from(projects)
    .leftJoin(events, eq(events.projectId, projects.id))
    .groupBy(projects.id, projects.feedSeq)
}

/** Idempotency keys that more than one task of a project has. */
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

/** Remote ids that more than one attempt at a provider has. */
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
