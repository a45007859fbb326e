// Each query reads a small index of unended rows.
import { and, count, eq, inArray, isNull, sql, type SQL } from 'drizzle-orm'
import type { TaskStatus } from '../../domain.ts'
import { isUnended, queueCounts, type QueueCounts } from '../attempts/counts.ts'
import { isUnknown } from '../attempts/unknown.ts'
import type { Queries } from '../connection/database.ts'
import { listCooldowns } from '../providers/cooldowns.ts'

export interface Gauges {
  tasks: { status: TaskStatus; count: number }[]
  queues: ProviderQueue[]
  unknownOutcomes: UnknownOutcomes[]
  spending: { projectId: string; heldMicros: number; spentMicros: number }[]
  deliveries: { pending: number; oldestMs: number }
  /** Model '': all of a provider. */
  inCooldown: { provider: string; model: string }[]
}

export interface ProviderQueue extends QueueCounts {
  provider: string
  /** 0: none due. */
  oldestDueMs: number
}

export interface UnknownOutcomes {
  provider: string
  count: number
  oldestMs: number
  /** Of the known worst cases. */
  chargePossibleMicros: number
  /** Without a known worst case. */
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
  const inCooldown = cooldowns.filter((cooldown) => cooldown.inCooldown)
  return { tasks, queues, unknownOutcomes, spending, deliveries, inCooldown }
}

/** 0 for null or the future. */
function since({ now }: Queries, earliest: SQL): SQL<number> {
  return sql`coalesce(${now} - ${earliest}, 0)`.mapWith((ms) => Math.max(0, Number(ms)))
}

function countOpenTasks(q: Queries): Promise<Gauges['tasks']> {
  const { tasks } = q.tables
  const isOpen = inArray(tasks.status, ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN'])
  return q.sql
    .select({ status: tasks.status, count: count() })
    .from(tasks)
    .where(and(inArray(tasks.projectId, allProjects(q)), isOpen, isNull(tasks.deletedAt)))
    .groupBy(tasks.status)
}

/** For indexes that begin with the project. */
function allProjects({ sql: from, tables: { projects } }: Queries) {
  return from.select({ id: projects.id }).from(projects)
}

function listQueues(q: Queries): Promise<ProviderQueue[]> {
  const { attempts } = q.tables
  return q.sql
    .select({
      provider: attempts.provider,
      ...queueCounts(q),
      oldestDueMs: since(q, sql`min(case ${attempts.state} when 'PLANNED' then ${attempts.runAfter} end)`),
    })
    .from(attempts)
    .where(isUnended(q))
    .groupBy(attempts.provider)
}

function listUnknownOutcomes(q: Queries): Promise<UnknownOutcomes[]> {
  const { attempts } = q.tables
  return q.sql
    .select({
      provider: attempts.provider,
      count: count(),
      oldestMs: since(q, sql`min(${attempts.sentAt})`),
      chargePossibleMicros: sql`coalesce(sum(${attempts.heldMicros}), 0)`.mapWith(Number),
      unpriced: sql`count(*) - count(${attempts.heldMicros})`.mapWith(Number),
    })
    .from(attempts)
    .where(isUnknown(q))
    .groupBy(attempts.provider)
}

function listTotals(q: Queries): Promise<Gauges['spending']> {
  const { spending } = q.tables
  const { owner: projectId, heldMicros, spentMicros } = spending
  const isTotal = and(eq(spending.period, 'TOTAL'), eq(spending.startsAt, 0))
  return q.sql
    .select({ projectId, heldMicros, spentMicros })
    .from(spending)
    .where(and(inArray(projectId, allProjects(q)), isTotal))
}

async function countPending(q: Queries): Promise<Gauges['deliveries']> {
  const { webhookDeliveries: deliveries } = q.tables
  const [row] = await q.sql
    .select({ pending: count(), oldestMs: since(q, sql`min(${deliveries.createdAt})`) })
    .from(deliveries)
    .where(sql`${deliveries.state} = 'PENDING'`)
  return row ?? { pending: 0, oldestMs: 0 }
}
