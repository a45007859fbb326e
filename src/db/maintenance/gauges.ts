// Gauges for a dashboard. Each query reads an index of what has not ended, which stays small, and scans no big table.
import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import type { TaskStatus } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { listCooldowns } from '../providers/cooldowns.ts'

/** All gauges, read at nearly the same moment. */
export interface Gauges {
  /** Statuses that no task has are left out. */
  tasks: { status: TaskStatus; count: number }[]
  queues: ProviderQueue[]
  unknownOutcomes: UnknownOutcomes[]
  /** Of every project that ever asked for something. */
  spending: { projectId: string; heldMicros: number; spentMicros: number }[]
  deliveries: { pending: number; oldestMs: number }
  /** What gets no new work; the model is '' for all models of a provider. */
  inCooldown: { provider: string; model: string }[]
}

/** The attempts that wait for a provider, and those under way there. */
export interface ProviderQueue {
  provider: string
  queued: number
  running: number
  /** How long the one that waits longest has been due; 0 when none is. */
  oldestDueMs: number
}

/** The attempts at a provider whose outcome is unknown. */
export interface UnknownOutcomes {
  provider: string
  count: number
  oldestMs: number
  /** The sum of the known worst cases. */
  chargePossibleMicros: number
  /** How many have no known worst case. */
  unpriced: number
}

export async function readGauges(q: Queries): Promise<Gauges> {
  const [tasks, queues, unknownOutcomes, spending, deliveries, cooldowns] = await Promise.all([
    countOpenTasks(q),
    listQueues(q),
    listUnknownOutcomes(q),
    listTotals(q),
    countPending(q),
    listCooldowns(q),
  ])
  return {
    tasks,
    queues,
    unknownOutcomes,
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

function countOpenTasks(q: Queries): Promise<Gauges['tasks']> {
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
function listQueues(q: Queries): Promise<ProviderQueue[]> {
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

function listUnknownOutcomes(q: Queries): Promise<UnknownOutcomes[]> {
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

function listTotals(q: Queries): Promise<Gauges['spending']> {
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

async function countPending(q: Queries): Promise<Gauges['deliveries']> {
  const { webhookDeliveries: deliveries } = q.tables
  const [row] = await q.sql
    .select({ pending: counted, oldestMs: since(q, sql`min(${deliveries.createdAt})`) })
    .from(deliveries)
    .where(sql`${deliveries.state} = 'PENDING'`)
  return row ?? { pending: 0, oldestMs: 0 }
}
