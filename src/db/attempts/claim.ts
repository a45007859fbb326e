// How attempts are taken out of the queue, for one project at a time.
import {
  and,
  asc,
  eq,
  inArray,
  isNull,
  lt,
  notInArray,
  or,
  sql,
  type Placeholder,
  type SQL,
} from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { AttemptRow } from '../tables/tables.ts'

/** Which attempts a worker may claim. */
export interface ClaimScope {
  provider: string
  /** Only this model; all of them when absent. */
  model?: string | undefined
  /** Models that get no new work, or all of them. Their accepted attempts can still be claimed, for a check. */
  blockedModels?: readonly string[] | 'ALL'
}

/** What a claim writes, and how many it takes. */
export interface ClaimOfProject {
  projectId: string
  limit: number
  /** Names the worker in the leases. */
  owner: string
  leaseMs: number
}

/**
 * Claims up to `limit` due attempts of a project, oldest first: PLANNED ones become LEASED, ACCEPTED ones stay and are
 * leased for a check. Concurrent claimers get different ones.
 */
export async function claimOldest(
  q: Transaction,
  { provider, ...choice }: ClaimScope,
  { projectId, limit, owner, leaseMs }: ClaimOfProject,
): Promise<AttemptRow[]> {
  const values = { provider, projectId, limit, owner, leaseMs }
  return isPlain(choice) ? oldest(q, values) : takeOldest(q, choice, values)
}

/** Which attempts of a provider may be claimed, besides being due. */
type Choice = Omit<ClaimScope, 'provider'>

/** Values, or places for them in a statement that is prepared. */
type Given<Values> = { [Name in keyof Values]: Values[Name] | Placeholder }

type Oldest = ClaimOfProject & { provider: string }

const oldest = statement<Oldest & Record<string, unknown>, AttemptRow[]>('claim_oldest', (q) =>
  takeOldest(
    q,
    {},
    {
      provider: sql.placeholder('provider'),
      projectId: sql.placeholder('projectId'),
      limit: sql.placeholder('limit'),
      owner: sql.placeholder('owner'),
      leaseMs: sql.placeholder('leaseMs'),
    },
  ),
)

function takeOldest(q: Queries, choice: Choice, given: Given<Oldest>) {
  const { attempts } = q.tables
  const due = q.sql
    .select({ id: attempts.id })
    .from(attempts)
    .where(
      and(eq(attempts.provider, given.provider), eq(attempts.projectId, given.projectId), isDue(q, choice)),
    )
    .orderBy(asc(attempts.runAfter), asc(attempts.id))
    .limit(given.limit)
  // On PostgreSQL the rows must be locked one by one, and an IN (… LIMIT) could be run more than once.
  const chosen =
    q.dialect === 'postgresql'
      ? sql`${attempts.id} = any(array(${due.for('update', { skipLocked: true })}))`
      : inArray(attempts.id, due)
  return q.sql
    .update(attempts)
    .set({
      state: sql`case ${attempts.state} when 'PLANNED' then 'LEASED' else ${attempts.state} end`,
      leaseOwner: sql`${given.owner}`,
      leaseEpoch: sql`${attempts.leaseEpoch} + 1`,
      leaseUntil: sql`${q.now} + ${given.leaseMs}`,
    })
    .where(chosen)
    .returning()
}

/** A project with attempts that are due at a provider. */
export interface WaitingProject {
  projectId: string
  /** How many are due; counted no further than the limit. */
  due: number
  /** When the oldest became due. */
  dueSince: number
}

/** The projects with attempts that may be claimed at a provider, `limit` of each counted at most. */
export async function listWaitingProjects(
  q: Queries,
  { provider, ...choice }: ClaimScope,
  limit: number,
): Promise<WaitingProject[]> {
  const rows = isPlain(choice)
    ? await waitingRows(q, { provider, limit })
    : await selectWaiting(q, choice, { provider, limit })
  return rows
    .map((row) => ({ ...row, due: Number(row.due), dueSince: Number(row.dueSince) }))
    .filter(({ due }) => due > 0)
}

const waitingRows = statement<{ provider: string; limit: number }, WaitingRow[]>('waiting_projects', (q) =>
  selectWaiting(q, {}, { provider: sql.placeholder('provider'), limit: sql.placeholder('limit') }),
)

/** Numbers as the databases give them. */
interface WaitingRow {
  projectId: string
  due: number | string
  dueSince: number | string | null
}

function selectWaiting(
  q: Queries,
  choice: Choice,
  { provider, limit }: Given<{ provider: string; limit: number }>,
) {
  const { attempts } = q.tables
  const theirs = sql`${attempts} where ${attempts.provider} = ${provider} and ${attempts.projectId} = waiting.project_id and ${isDue(q, choice)} order by ${attempts.runAfter}`
  const due = sql`(select count(*) from (select 1 from ${theirs} limit ${limit}) as counted)`
  const since = sql`(select ${attempts.runAfter} from ${theirs} limit 1)`
  return q.sql
    .select({
      projectId: sql<string>`project_id`,
      due: sql<WaitingRow['due']>`due`,
      dueSince: sql<WaitingRow['dueSince']>`due_since`,
    })
    .from(
      sql`(${waitingProjects(q, provider)} select project_id, ${due} as due, ${since} as due_since from waiting where project_id is not null) as projects`,
    )
}

/**
 * `with recursive waiting(project_id)`: the projects that have anything waiting at a provider. One step along the index
 * for each project, not for each attempt; the order asked for is that of one index alone, so no other one is taken.
 */
export function waitingProjects(q: Queries, provider: string | Placeholder): SQL {
  const { attempts } = q.tables
  const after = (projectId: SQL) =>
    sql`(select case ${attempts.provider} when ${provider} then ${attempts.projectId} end from ${attempts} where (${attempts.provider}, ${attempts.projectId}) > (${provider}, ${projectId}) and ${isWaiting(q)} order by ${attempts.provider}, ${attempts.projectId} limit 1)`
  return sql`with recursive waiting(project_id) as (select ${after(sql`''`)} union all select ${after(sql`waiting.project_id`)} from waiting where waiting.project_id is not null)`
}

function isPlain({ model, blockedModels }: Choice): boolean {
  return model === undefined && !blockedModels?.length
}

function isDue(q: Queries, { model, blockedModels }: Choice): SQL | undefined {
  const { attempts } = q.tables
  // One value for the whole statement, which an index can be read by; PostgreSQL's clock goes on while it runs.
  const now = sql`(select ${q.now})`
  return and(
    model === undefined ? undefined : eq(attempts.model, model),
    isWaiting(q),
    sql`${attempts.runAfter} <= ${now}`,
    // What a provider has accepted is asked about even while it is given no new work.
    blockedModels?.length ? or(eq(attempts.state, 'ACCEPTED'), isUnblocked(q, blockedModels)) : undefined,
    or(isNull(attempts.leaseUntil), lt(attempts.leaseUntil, now)),
  )
}

function isUnblocked({ tables: { attempts } }: Queries, blocked: readonly string[] | 'ALL'): SQL {
  return blocked === 'ALL' ? sql`1 = 0` : notInArray(attempts.model, [...blocked])
}

/** Spelled out: with the states as parameters, SQLite would not use the index that is only about them. */
export function isWaiting({ tables: { attempts } }: Queries): SQL {
  return sql`${attempts.state} in ('PLANNED', 'ACCEPTED')`
}
