import { eq, sql } from 'drizzle-orm'
import type { Queries, Transaction } from './database.ts'
import { statement } from './statement.ts'

/** The project that exists from the start and owns everything that is asked without a key. */
export const DEFAULT_PROJECT = 'prj_00000000000000000000000000'

/** Creates the default project where it is missing. */
export async function ensureDefaultProject(q: Transaction, now: number): Promise<void> {
  await q.sql
    .insert(q.tables.projects)
    .values({ id: DEFAULT_PROJECT, name: 'default', createdAt: now })
    .onConflictDoNothing()
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
