// Removing what has been kept for long enough. All of it goes in small transactions, over a range of an index that is
// read first, so that no writer waits long and processes that do it at the same time do not get in each other's way.
import { and, asc, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm'
import { DEFAULT_PROJECT } from '../access/projects.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

/** An entry of an index, with the time it was written. */
export interface IndexEntry<Key> {
  key: Key
  /** When it was written. */
  at: number
}

/** Every project, in order of id. */
export async function listProjectIds(q: Queries): Promise<string[]> {
  const { projects } = q.tables
  const rows = await q.sql.select({ id: projects.id }).from(projects).orderBy(asc(projects.id))
  return rows.map(({ id }) => id)
}

/** When this database began: no two have the same moment, so it tells them apart. */
export async function findBirth(q: Queries): Promise<number> {
  const { projects } = q.tables
  const [row] = await q.sql
    .select({ createdAt: projects.createdAt })
    .from(projects)
    .where(eq(projects.id, DEFAULT_PROJECT))
  if (!row) throw new Error(`There is no project ${DEFAULT_PROJECT}.`)
  return row.createdAt
}

const feedEntries = statement<{ projectId: string; after: number; limit: number }, IndexEntry<number>[]>(
  'feed_entries',
  ({ sql: from, tables: { events } }) =>
    from
      .select({ key: events.feedSeq, at: events.at })
      .from(events)
      .where(
        and(eq(events.projectId, sql.placeholder('projectId')), gt(events.feedSeq, sql.placeholder('after'))),
      )
      .orderBy(asc(events.feedSeq))
      .limit(sql.placeholder('limit')),
)

/** The next entries of a project's feed after a number. */
export function listFeedEntries(
  q: Queries,
  projectId: string,
  after: number,
  limit: number,
): Promise<IndexEntry<number>[]> {
  return feedEntries(q, { projectId, after, limit })
}

/** A range of a project's feed. Only what belongs to tasks that ended before `endedBefore` is removed. */
export interface FeedRange extends Record<string, unknown> {
  projectId: string
  /** Exclusive. */
  after: number
  /** Inclusive. */
  upTo: number
  endedBefore: number
}

const deleteEvents = statement<FeedRange, unknown>('delete_events', (q) => {
  const { events, tasks } = q.tables
  return q.sql.delete(events).where(
    and(
      eq(events.projectId, sql.placeholder('projectId')),
      gt(events.feedSeq, sql.placeholder('after')),
      lte(events.feedSeq, sql.placeholder('upTo')),
      sql`exists (
        select 1 from ${tasks}
        where ${tasks.id} = ${events.taskId} and ${tasks.finishedAt} < ${sql.placeholder('endedBefore')}
      )`,
    ),
  )
})

/**
 * Removes the events of ended tasks within a range, and first the previews of these tasks, which only their events
 * lead to.
 */
export async function removeEvents(q: Transaction, range: FeedRange): Promise<void> {
  await removePreviews(q, range)
  await deleteEvents(q, range)
}

const deletePreviews = statement<FeedRange, unknown>('delete_previews', (q) => {
  const { assets, events, tasks } = q.tables
  return q.sql.delete(assets).where(
    and(
      sql`${assets.taskId} in (
        select ${events.taskId} from ${events} join ${tasks} on ${tasks.id} = ${events.taskId}
        where ${events.projectId} = ${sql.placeholder('projectId')}
          and ${events.feedSeq} > ${sql.placeholder('after')} and ${events.feedSeq} <= ${sql.placeholder('upTo')}
          and ${tasks.finishedAt} < ${sql.placeholder('endedBefore')}
      )`,
      eq(assets.kind, 'PARTIAL'),
    ),
  )
})

/** Removes the previews of the ended tasks that a range speaks of. */
export async function removePreviews(q: Transaction, range: FeedRange): Promise<void> {
  await deletePreviews(q, range)
}

/** The next deliveries of a project after an id, oldest first. */
export async function listDeliveryEntries(
  q: Queries,
  projectId: string,
  after: string,
  limit: number,
): Promise<IndexEntry<string>[]> {
  const { webhookDeliveries: all } = q.tables
  return q.sql
    .select({ key: all.id, at: all.createdAt })
    .from(all)
    .where(and(eq(all.projectId, projectId), gt(all.id, after)))
    .orderBy(asc(all.id))
    .limit(limit)
}

/** Removes those of some deliveries that ended before a moment, with their tries. */
export async function removeDeliveries(q: Transaction, ids: string[], endedBefore: number): Promise<void> {
  const { webhookDeliveries: all, webhookTries: tries } = q.tables
  const query = q.sql
    .select({ id: all.id })
    .from(all)
    .where(and(inArray(all.id, ids), lt(all.finishedAt, endedBefore)))
  // Held, so that none is put on its way again between its tries and itself.
  const ended = await (q.dialect === 'postgresql' ? query.for('update', { skipLocked: true }) : query)
  if (ended.length === 0) return
  const gone = ended.map(({ id }) => id)
  await q.sql.delete(tries).where(inArray(tries.deliveryId, gone))
  await q.sql.delete(all).where(inArray(all.id, gone))
}

/** The next callbacks after those of an attempt, in order of attempts. */
export async function listCallbackEntries(
  q: Queries,
  after: string,
  limit: number,
): Promise<IndexEntry<string>[]> {
  const { callbacks } = q.tables
  return q.sql
    .select({ key: callbacks.attemptId, at: callbacks.receivedAt })
    .from(callbacks)
    .where(gt(callbacks.attemptId, after))
    .orderBy(asc(callbacks.attemptId))
    .limit(limit)
}

/** Removes the callbacks of those of some attempts that ended before a moment. */
export async function removeCallbacks(
  q: Transaction,
  attemptIds: string[],
  endedBefore: number,
): Promise<void> {
  const { callbacks, attempts } = q.tables
  const ended = q.sql
    .select({ id: attempts.id })
    .from(attempts)
    .where(and(inArray(attempts.id, attemptIds), lt(attempts.finishedAt, endedBefore)))
  await q.sql.delete(callbacks).where(inArray(callbacks.attemptId, ended))
}
