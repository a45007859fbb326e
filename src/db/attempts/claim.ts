import {
  and,
  eq,
  inArray,
  isNull,
  lt,
  ne,
  notInArray,
  or,
  sql,
  type Placeholder,
  type SQL,
} from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { oneOf } from '../tables/kit.ts'
import type { AttemptRow } from '../tables/tables.ts'

export interface ClaimScope {
  provider: string
  /** Only downloads; by default, all but them. */
  fetching?: boolean | undefined
  model?: string | undefined
  /** No new work; accepted attempts are still claimed, for a check. */
  blockedModels?: readonly string[] | 'ALL'
}

export interface ClaimOfProject {
  projectId: string
  limit: number
  owner: string
  leaseMs: number
  dataFolderId: string
}

/**
 * Claims due attempts, oldest first: PLANNED ones become LEASED, ACCEPTED ones are leased for a check,
 * FETCHING ones for a download. Concurrent claims get different attempts.
 */
export async function claimOldest(
  q: Transaction,
  { provider, ...filter }: ClaimScope,
  { projectId, ...lease }: ClaimOfProject,
): Promise<AttemptRow[]> {
  const values = { provider, projectId, ...lease }
  return isUnfiltered(filter) ? claimPrepared(q, values) : claim(q, filter).prepare('').execute(values)
}

type ClaimFilter = Omit<ClaimScope, 'provider'>

const claimPrepared = statement<ClaimOfProject & Record<string, unknown>, AttemptRow[]>('claim_oldest', (q) =>
  claim(q, {}),
)

function claim(q: Queries, filter: ClaimFilter) {
  const { attempts } = q.tables
  const due = q.sql
    .select({ id: attempts.id })
    .from(attempts)
    .where(
      and(
        eq(attempts.provider, sql.placeholder('provider')),
        eq(attempts.projectId, sql.placeholder('projectId')),
        isDue(q, filter),
        // Its own expired leases are in progress, or left to recovery.
        or(isNull(attempts.leaseOwner), ne(attempts.leaseOwner, sql.placeholder('owner'))),
      ),
    )
    .orderBy(attempts.runAfter, attempts.id)
    .limit(sql.placeholder('limit'))
  // PostgreSQL must lock the rows one by one, and may run an IN (… LIMIT) more than once.
  const isChosen =
    q.dialect === 'postgresql'
      ? sql`${attempts.id} = any(array(${due.for('update', { skipLocked: true })}))`
      : inArray(attempts.id, due)
  const set = {
    state: sql`case ${attempts.state} when 'PLANNED' then 'LEASED' else ${attempts.state} end`,
    leaseOwner: sql`${sql.placeholder('owner')}`,
    leaseEpoch: sql`${attempts.leaseEpoch} + 1`,
    leaseUntil: sql`${q.now} + ${sql.placeholder('leaseMs')}`,
    dataFolderId: sql`${sql.placeholder('dataFolderId')}`,
  }
  return q.sql.update(attempts).set(set).where(isChosen).returning()
}

export interface WaitingProject {
  projectId: string
  /** Counted up to a limit. */
  due: number
  dueSince: number
}

export async function listWaitingProjects(
  q: Queries,
  { provider, ...filter }: ClaimScope,
  limit: number,
): Promise<WaitingProject[]> {
  const values = { provider, limit }
  const rows = isUnfiltered(filter)
    ? await waitingPrepared(q, values)
    : await selectWaiting(q, filter).prepare('').execute(values)
  return rows.filter(({ due }) => due > 0)
}

const waitingPrepared = statement<{ provider: string; limit: number }, WaitingProject[]>(
  'waiting_projects',
  (q) => selectWaiting(q, {}),
)

function selectWaiting(q: Queries, filter: ClaimFilter) {
  const { attempts } = q.tables
  const [provider, limit] = [sql.placeholder('provider'), sql.placeholder('limit')]
  const ofProject = sql`${attempts} where ${attempts.provider} = ${provider} and ${attempts.projectId} = waiting.project_id and ${isDue(q, filter)} order by ${attempts.runAfter}`
  const due = sql`(select count(*) from (select 1 from ${ofProject} limit ${limit}) as counted)`
  const since = sql`(select ${attempts.runAfter} from ${ofProject} limit 1)`
  const columns = {
    projectId: sql<string>`project_id`,
    due: sql`due`.mapWith(Number),
    dueSince: sql`due_since`.mapWith(Number),
  }
  return q.sql
    .select(columns)
    .from(
      sql`(${waitingProjects(q, provider, filter.fetching)} select project_id, ${due} as due, ${since} as due_since from waiting where project_id is not null) as projects`,
    )
}

/** One index step per project. The ORDER BY matches only that index. */
export function waitingProjects(q: Queries, provider: string | Placeholder, fetching = false): SQL {
  const { attempts } = q.tables
  const after = (projectId: SQL) =>
    sql`(select case ${attempts.provider} when ${provider} then ${attempts.projectId} end from ${attempts} where (${attempts.provider}, ${attempts.projectId}) > (${provider}, ${projectId}) and ${isWaiting(q, fetching)} order by ${attempts.provider}, ${attempts.projectId} limit 1)`
  return sql`with recursive waiting(project_id) as (select ${after(sql`''`)} union all select ${after(sql`waiting.project_id`)} from waiting where waiting.project_id is not null)`
}

function isUnfiltered({ model, blockedModels, fetching }: ClaimFilter): boolean {
  return model === undefined && !blockedModels?.length && !fetching
}

function isDue(q: Queries, { model, blockedModels, fetching }: ClaimFilter): SQL | undefined {
  const { attempts } = q.tables
  // One value per statement, because PostgreSQL's clock_timestamp() advances and prevents an index.
  const now = sql`(select ${q.now})`
  return and(
    model === undefined ? undefined : eq(attempts.model, model),
    isWaiting(q, fetching),
    sql`${attempts.runAfter} <= ${now}`,
    blockedModels?.length ? or(eq(attempts.state, 'ACCEPTED'), isUnblocked(q, blockedModels)) : undefined,
    or(isNull(attempts.leaseUntil), lt(attempts.leaseUntil, now)),
  )
}

function isUnblocked({ tables: { attempts } }: Queries, blocked: readonly string[] | 'ALL'): SQL {
  return blocked === 'ALL' ? sql`1 = 0` : notInArray(attempts.model, [...blocked])
}

/** As the condition of the indexes. */
export function isWaiting({ tables: { attempts } }: Queries, fetching = false): SQL {
  return fetching ? sql`${attempts.state} = 'FETCHING'` : oneOf(attempts.state, ['PLANNED', 'ACCEPTED'])
}
