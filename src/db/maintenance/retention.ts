// Small transactions over a range read first: writers wait briefly.
import { and, eq, gt, inArray, isNull, lt, lte, sql } from 'drizzle-orm'
import { isFinished, TASK_STATUSES } from '../../domain.ts'
import { DEFAULT_PROJECT, getProject } from '../access/projects.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface IndexEntry<Key> {
  key: Key
  at: number
}

/** Identifies a database: creation times differ. */
export async function getDatabaseCreatedAt(q: Queries): Promise<number> {
  return (await getProject(q, DEFAULT_PROJECT)).createdAt
}

export const listFeedEntries = statement<
  { projectId: string; after: number; limit: number },
  IndexEntry<number>[]
>('feed_entries', (q) => {
  const { events } = q.tables
  const ofProject = eq(events.projectId, sql.placeholder('projectId'))
  return q.sql
    .select({ key: events.feedSeq, at: events.at })
    .from(events)
    .where(and(ofProject, gt(events.feedSeq, sql.placeholder('after'))))
    .orderBy(events.feedSeq)
    .limit(sql.placeholder('limit'))
})

/** Oldest first of each state. */
export async function listExpiredTasks(
  q: Queries,
  { projectId, before, limit }: { projectId: string; before: number; limit: number },
): Promise<{ id: string; projectId: string }[]> {
  const { tasks } = q.tables
  const rows = await Promise.all(
    TASK_STATUSES.filter(isFinished).map((status) =>
      q.sql
        .select({ id: tasks.id, projectId: tasks.projectId })
        .from(tasks)
        .where(
          and(
            eq(tasks.projectId, projectId),
            eq(tasks.status, status),
            lt(tasks.finishedAt, before),
            isNull(tasks.deletedAt),
          ),
        )
        .orderBy(tasks.finishedAt)
        .limit(limit),
    ),
  )
  return rows.flat()
}

/** Of a feed: events whose task ended before `endedBefore`. */
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

/** Partial images first: only these events refer to them. */
export async function removeEvents(q: Transaction, range: FeedRange): Promise<void> {
  await removePartialImages(q, range)
  await deleteEvents(q, range)
}

const deletePartialImages = statement<FeedRange, unknown>('delete_partial_images', (q) => {
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

export async function removePartialImages(q: Transaction, range: FeedRange): Promise<void> {
  await deletePartialImages(q, range)
}

export async function listDeliveryEntries(
  q: Queries,
  projectId: string,
  after: string,
  limit: number,
): Promise<IndexEntry<string>[]> {
  const { webhookDeliveries: deliveries } = q.tables
  const entry = { key: deliveries.id, at: deliveries.createdAt }
  const isAfter = and(eq(deliveries.projectId, projectId), gt(deliveries.id, after))
  return q.sql.select(entry).from(deliveries).where(isAfter).orderBy(deliveries.id).limit(limit)
}

export async function removeDeliveries(q: Transaction, ids: string[], endedBefore: number): Promise<void> {
  const { webhookDeliveries: deliveries } = q.tables
  const isExpired = and(inArray(deliveries.id, ids), lt(deliveries.finishedAt, endedBefore))
  const query = q.sql.select({ id: deliveries.id }).from(deliveries).where(isExpired)
  // Locked: none is restarted between the two deletes.
  await deleteDeliveries(
    q,
    await (q.dialect === 'postgresql' ? query.for('update', { skipLocked: true }) : query),
  )
}

/** Also pending ones. */
export async function removeDeliveriesOfTask(q: Transaction, taskId: string): Promise<void> {
  const { webhookDeliveries: deliveries } = q.tables
  const query = q.sql.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.taskId, taskId))
  await deleteDeliveries(q, await (q.dialect === 'postgresql' ? query.for('update') : query))
}

async function deleteDeliveries(q: Transaction, locked: { id: string }[]): Promise<void> {
  if (locked.length === 0) return
  const { webhookDeliveries: deliveries, webhookTries: tries } = q.tables
  const ids = locked.map(({ id }) => id)
  await q.sql.delete(tries).where(inArray(tries.deliveryId, ids))
  await q.sql.delete(deliveries).where(inArray(deliveries.id, ids))
}

export async function listCallbackEntries(
  q: Queries,
  after: string,
  limit: number,
): Promise<IndexEntry<string>[]> {
  const { attemptId: key, receivedAt: at } = q.tables.callbacks
  return q.sql.select({ key, at }).from(q.tables.callbacks).where(gt(key, after)).orderBy(key).limit(limit)
}

export async function removeCallbacks(
  q: Transaction,
  attemptIds: string[],
  endedBefore: number,
): Promise<void> {
  const { callbacks, attempts } = q.tables
  const isEnded = and(inArray(attempts.id, attemptIds), lt(attempts.finishedAt, endedBefore))
  const ended = q.sql.select({ id: attempts.id }).from(attempts).where(isEnded)
  await q.sql.delete(callbacks).where(inArray(callbacks.attemptId, ended))
}
