import { asc, eq, sql } from 'drizzle-orm'
import type { Limits } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { ProjectRow, Tables } from '../tables/tables.ts'
import { ACCESS_KEY } from './api-keys.ts'

/** The project that exists from the start and owns everything that is asked without a key. */
export const DEFAULT_PROJECT = 'prj_00000000000000000000000000'

/** Creates the default project where it is missing. */
export async function ensureDefaultProject(q: Transaction, now: number): Promise<void> {
  await q.sql
    .insert(q.tables.projects)
    .values({ id: DEFAULT_PROJECT, name: 'default', createdAt: now })
    .onConflictDoNothing()
}

/** Inserts a project. */
export async function insertProject(
  q: Transaction,
  row: Tables['projects']['$inferInsert'],
): Promise<ProjectRow> {
  const [inserted] = await q.sql.insert(q.tables.projects).values(row).returning()
  if (!inserted) throw new Error(`The project ${row.id} was not inserted.`)
  return inserted
}

const projectById = statement<{ id: string }, ProjectRow[]>(
  'project_by_id',
  ({ sql: from, tables: { projects } }) =>
    from
      .select()
      .from(projects)
      .where(eq(projects.id, sql.placeholder('id'))),
)

/** A project; undefined when there is none. */
export async function findProject(q: Queries, id: string): Promise<ProjectRow | undefined> {
  const [row] = await projectById(q, { id })
  return row
}

/** A project of which it is known that it exists. Throws when there is none. */
export async function getProject(q: Queries, id: string): Promise<ProjectRow> {
  const row = await findProject(q, id)
  if (!row) throw new Error(`There is no project ${id}.`)
  return row
}

/** Every project, oldest first. */
export async function listProjects(q: Queries): Promise<ProjectRow[]> {
  const { projects } = q.tables
  return q.sql.select().from(projects).orderBy(asc(projects.createdAt), asc(projects.id))
}

/** The projects of a name: usually one. */
export async function findProjectsByName(q: Queries, name: string): Promise<ProjectRow[]> {
  const { projects } = q.tables
  return q.sql.select().from(projects).where(eq(projects.name, name)).orderBy(asc(projects.id))
}

const feedPosition = statement<{ id: string }, { feedSeq: number }[]>(
  'feed_position',
  ({ sql: from, tables }) =>
    from
      .select({ feedSeq: tables.projects.feedSeq })
      .from(tables.projects)
      .where(eq(tables.projects.id, sql.placeholder('id'))),
)

/** The number of the newest event in a project's feed; 0 when there is none. */
export async function findFeedPosition(q: Queries, projectId: string): Promise<number> {
  const [row] = await feedPosition(q, { id: projectId })
  return row?.feedSeq ?? 0
}

/** Sets the limits of a project, null for none of its own, and notifies every process. */
export async function putProjectLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { projects } = q.tables
  await q.sql.update(projects).set({ limits }).where(eq(projects.id, id))
  q.wakeUp(ACCESS_KEY)
}
