// How things stand at this moment, in numbers for a dashboard. Each query reads an index of what has not ended, which stays
// small, and no big table from end to end.
import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import type { TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { listCooldowns } from '../providers/cooldowns.ts'

/** All of them, as nearly one moment saw them. */
export interface Figures {
  /** Statuses that no task has are left out. */
  tasks: { status: TaskStatus; count: number }[]
  queues: Queue[]
  doubts: Doubt[]
  /** Of every project that ever asked for something. */
  spending: { projectId: string; heldMicros: number; spentMicros: number }[]
  deliveries: { pending: number; oldestMs: number }
  /** What gets no new work; the model is '' for all models of a provider. */
  inCooldown: { provider: string; model: string }[]
}

/** What waits for a provider and what it works on. */
export interface Queue {
  provider: string
  queued: number
  running: number
  /** How long the one that waits longest has been due; 0 when none is. */
  oldestDueMs: number
}

/** The attempts at a provider whose outcome nobody knows. */
export interface Doubt {
  provider: string
  count: number
  oldestMs: number
  /** What those whose worst case is known could cost together. */
  chargePossibleMicros: number
  /** Those whose worst case nobody knows. */
  unpriced: number
}

export async function readFigures(q: Queries): Promise<Figures> {
  const [tasks, queues, doubts, spending, deliveries, cooldowns] = await Promise.all([
    countOpenTasks(q),
    listQueues(q),
    listDoubts(q),
    listTotals(q),
    countPending(q),
    listCooldowns(q),
  ])
  return {
    tasks,
    queues,
    doubts,
    spending,
    deliveries,
    inCooldown: cooldowns.filter(({ inCooldown }) => inCooldown),
  }
}

const counted = sql`count(*)`.mapWith(Number)

/** How long before now the earliest of these moments was; 0 when there is none, or when it is still to come. */
function since({ now }: Queries, earliest: SQL): SQL<number> {
  return sql`coalesce(${now} - ${earliest}, 0)`.mapWith((ms) => Math.max(0, Number(ms)))
}

function countOpenTasks(q: Queries): Promise<Figures['tasks']> {
  const { tasks } = q.tables
  return q.sql
    .select({ status: tasks.status, count: counted })
    .from(tasks)
    .where(
      and(
        inArray(tasks.projectId, allProjects(q)),
        inArray(tasks.status, ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN']),
      ),
    )
    .groupBy(tasks.status)
}

/** Named, since the indexes of tasks begin with their project. */
function allProjects({ sql: from, tables: { projects } }: Queries) {
  return from.select({ id: projects.id }).from(projects)
}

// The states are spelled out here and below: with parameters, SQLite would not use the indexes that are only about them.
function listQueues(q: Queries): Promise<Queue[]> {
  const { attempts } = q.tables
  const countOf = (states: SQL) =>
    sql`coalesce(sum(case when ${attempts.state} in (${states}) then 1 else 0 end), 0)`.mapWith(Number)
  return q.sql
    .select({
      provider: attempts.provider,
      queued: countOf(sql`'PLANNED', 'LEASED'`),
      running: countOf(sql`'SENDING', 'ACCEPTED'`),
      oldestDueMs: since(q, sql`min(case ${attempts.state} when 'PLANNED' then ${attempts.runAfter} end)`),
    })
    .from(attempts)
    .where(sql`${attempts.state} in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED')`)
    .groupBy(attempts.provider)
}

function listDoubts(q: Queries): Promise<Doubt[]> {
  const { attempts } = q.tables
  return q.sql
    .select({
      provider: attempts.provider,
      count: counted,
      oldestMs: since(q, sql`min(${attempts.sentAt})`),
      chargePossibleMicros: sql`coalesce(sum(${attempts.heldMicros}), 0)`.mapWith(Number),
      unpriced: sql`count(*) - count(${attempts.heldMicros})`.mapWith(Number),
    })
    .from(attempts)
    .where(sql`${attempts.state} = 'UNKNOWN'`)
    .groupBy(attempts.provider)
}

function listTotals(q: Queries): Promise<Figures['spending']> {
  const { spending } = q.tables
  return q.sql
    .select({
      projectId: spending.owner,
      heldMicros: spending.heldMicros,
      spentMicros: spending.spentMicros,
    })
    .from(spending)
    .where(
      and(inArray(spending.owner, allProjects(q)), eq(spending.period, 'TOTAL'), eq(spending.startsAt, 0)),
    )
}

async function countPending(q: Queries): Promise<Figures['deliveries']> {
  const { webhookDeliveries: deliveries } = q.tables
  const [row] = await q.sql
    .select({ pending: counted, oldestMs: since(q, sql`min(${deliveries.createdAt})`) })
    .from(deliveries)
    .where(sql`${deliveries.state} = 'PENDING'`)
  return row ?? { pending: 0, oldestMs: 0 }
}
