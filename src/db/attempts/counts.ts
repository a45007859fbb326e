import { and, count, eq, lt, ne, or, sql, type SQL } from 'drizzle-orm'
import { waitingProjects } from './claim.ts'
import type { Queries } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { oneOf } from '../tables/kit.ts'
import type { AttemptRow } from '../tables/tables.ts'

export async function countAttempts(q: Queries, taskId: string): Promise<number> {
  const [row] = await ofTask(q, { taskId })
  return row?.count ?? 0
}

const ofTask = statement<{ taskId: string }, { count: number }[]>('count_attempts', (q) => {
  const { attempts } = q.tables
  const isOfTask = eq(attempts.taskId, sql.placeholder('taskId'))
  return q.sql.select({ count: count() }).from(attempts).where(isOfTask)
})

export async function countCharges(q: Queries, taskId: string, part: number): Promise<number> {
  const [row] = await charged(q, { taskId, part })
  return row?.count ?? 0
}

const charged = statement<{ taskId: string; part: number }, { count: number }[]>('count_charges', (q) => {
  const { attempts } = q.tables
  const isCharged = and(
    eq(attempts.taskId, sql.placeholder('taskId')),
    eq(attempts.part, sql.placeholder('part')),
    ne(attempts.charged, 'NO'),
  )
  return q.sql.select({ count: count() }).from(attempts).where(isCharged)
})

/** The older ones of its project, and by fair scheduling as many of each other project. */
export async function countAhead(q: Queries, attempt: AttemptRow): Promise<number> {
  const { attempts } = q.tables
  const { provider, projectId, runAfter, id } = attempt
  const isOlder = or(
    lt(attempts.runAfter, runAfter),
    and(eq(attempts.runAfter, runAfter), lt(attempts.id, id)),
  )
  const ofProject = and(eq(attempts.provider, provider), eq(attempts.projectId, projectId))
  const older = await countWhere(q, and(ofProject, sql`${attempts.state} = 'PLANNED'`, isOlder))
  const oldestFirst = sql`order by ${attempts.runAfter}, ${attempts.id}`
  const ofOther = sql`select ${attempts.runAfter} as since, row_number() over (${oldestFirst}) as place from ${attempts} where ${attempts.provider} = ${provider} and ${attempts.projectId} = waiting.project_id and ${attempts.state} = 'PLANNED' ${oldestFirst} limit ${older + 1}`
  const before = sql`(select count(*) from (${ofOther}) as first where place <= ${older} or since < ${runAfter})`
  const [others] = await q.sql
    .select({ count: sql`count`.mapWith(Number) })
    .from(
      sql`(${waitingProjects(q, provider)} select coalesce(sum(${before}), 0) as count from waiting where project_id <> ${projectId}) as others`,
    )
  return older + (others?.count ?? 0)
}

export interface QueueCounts {
  queued: number
  running: number
}

export async function countByProvider(q: Queries, provider: string): Promise<QueueCounts> {
  const { attempts } = q.tables
  const ofProvider = and(eq(attempts.provider, provider), isUnended(q))
  const [row] = await q.sql.select(queueCounts(q)).from(attempts).where(ofProvider)
  return row ?? { queued: 0, running: 0 }
}

/** Select them where `isUnended`. */
export function queueCounts({ tables: { attempts } }: Queries) {
  const countOf = (...states: string[]) =>
    sql`coalesce(sum(case when ${oneOf(attempts.state, states)} then 1 else 0 end), 0)`.mapWith(Number)
  return { queued: countOf('PLANNED', 'LEASED'), running: countOf('SENDING', 'ACCEPTED') }
}

export function isUnended({ tables: { attempts } }: Queries): SQL {
  return oneOf(attempts.state, ['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED'])
}

async function countWhere(q: Queries, condition: SQL | undefined): Promise<number> {
  const [row] = await q.sql.select({ count: count() }).from(q.tables.attempts).where(condition)
  return row?.count ?? 0
}
