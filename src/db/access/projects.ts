import { eq } from 'drizzle-orm'
import type { Limits, ProjectRetention } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
import { rowBy } from '../connection/statement.ts'
import type { ProjectRow, Tables } from '../tables/tables.ts'
import { ACCESS_KEY } from './api-keys.ts'

/** Always exists. Owns requests without a key. */
export const DEFAULT_PROJECT = 'prj_00000000000000000000000000'

export async function ensureDefaultProject(q: Transaction, now: number): Promise<void> {
  const row = { id: DEFAULT_PROJECT, name: 'default', createdAt: now }
  await q.sql.insert(q.tables.projects).values(row).onConflictDoNothing()
}

export async function insertProject(
  q: Transaction,
  row: Tables['projects']['$inferInsert'],
): Promise<ProjectRow> {
  const [inserted] = await q.sql.insert(q.tables.projects).values(row).returning()
  return inserted!
}

export const findProject = rowBy('projects', 'id')

export async function getProject(q: Queries, id: string): Promise<ProjectRow> {
  const row = await findProject(q, id)
  if (!row) throw new Error(`There is no project ${id}.`)
  return row
}

/** Oldest first. */
export async function listAllProjects(q: Queries): Promise<ProjectRow[]> {
  const { projects } = q.tables
  return q.sql.select().from(projects).orderBy(projects.createdAt, projects.id)
}

/** Oldest first. */
export function listProjects(q: Queries, range: PageRange): Promise<ProjectRow[]> {
  const { projects } = q.tables
  return readRange(range, { at: projects.createdAt, id: projects.id }, (isInRange, orderBy) =>
    q.sql
      .select()
      .from(projects)
      .where(isInRange)
      .orderBy(...orderBy)
      .limit(range.limit),
  )
}

export function countProjects(q: Queries): Promise<number> {
  return countRows(q, q.tables.projects)
}

/** Usually one: uniqueness is checked, not constrained. */
export async function findProjectsByName(q: Queries, name: string): Promise<ProjectRow[]> {
  const { projects } = q.tables
  return q.sql.select().from(projects).where(eq(projects.name, name)).orderBy(projects.id)
}

export async function findFeedPosition(q: Queries, projectId: string): Promise<number> {
  return (await findProject(q, projectId))?.feedSeq ?? 0
}

/** Null: the server's. */
export async function putProjectRetention(
  q: Transaction,
  id: string,
  retention: ProjectRetention | null,
): Promise<ProjectRow> {
  const { projects } = q.tables
  const [row] = await q.sql.update(projects).set({ retention }).where(eq(projects.id, id)).returning()
  return row!
}

/** Null: the server's. */
export async function putProjectLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { projects } = q.tables
  await q.sql.update(projects).set({ limits }).where(eq(projects.id, id))
  q.wakeUp(ACCESS_KEY)
}
