import { and, asc, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Limits } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { ApiKeyRow, Tables } from '../tables/tables.ts'

export type NewApiKey = Tables['apiKeys']['$inferInsert']

/** What waits for a change of who may ask. */
export const ACCESS_KEY = 'access'

/** A key, and what its project allows at a time. */
export interface KeyWithLimits {
  key: ApiKeyRow
  projectLimits: Limits | null
}

const keyByHandle = statement<{ handle: string }, KeyWithLimits[]>(
  'key_by_handle',
  ({ sql: from, tables: { apiKeys, projects } }) =>
    from
      .select({ key: apiKeys, projectLimits: projects.limits })
      .from(apiKeys)
      .innerJoin(projects, eq(projects.id, apiKeys.projectId))
      .where(eq(apiKeys.handle, sql.placeholder('handle'))),
)

/** The key with a handle, whether it is still good or not. */
export async function findKeyByHandle(q: Queries, handle: string): Promise<KeyWithLimits | undefined> {
  const [row] = await keyByHandle(q, { handle })
  return row
}

const firstKey = statement<Record<string, never>, { id: string }[]>(
  'first_key',
  ({ sql: from, tables: { apiKeys } }) => from.select({ id: apiKeys.id }).from(apiKeys).limit(1),
)

/** Whether any key was ever made; a revoked one counts. */
export async function hasKeys(q: Queries): Promise<boolean> {
  return (await firstKey(q, {})).length > 0
}

/** Inserts a key, and tells every process that who may ask has changed. */
export async function insertKey(q: Transaction, row: NewApiKey): Promise<ApiKeyRow> {
  const [inserted] = await q.sql.insert(q.tables.apiKeys).values(row).returning()
  if (!inserted) throw new Error(`The key ${row.id} was not inserted.`)
  q.wakeUp(ACCESS_KEY)
  return inserted
}

const keyById = statement<{ id: string; projectId: string }, ApiKeyRow[]>(
  'key_by_id',
  ({ sql: from, tables: { apiKeys } }) =>
    from
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.id, sql.placeholder('id')), eq(apiKeys.projectId, sql.placeholder('projectId')))),
)

/** A key of a project; undefined when there is none, or when it is another project's. */
export async function findKey(q: Queries, projectId: string, id: string): Promise<ApiKeyRow | undefined> {
  const [row] = await keyById(q, { id, projectId })
  return row
}

/** A key of whichever project: for operators. */
export async function findAnyKey(q: Queries, id: string): Promise<ApiKeyRow | undefined> {
  const { apiKeys } = q.tables
  const [row] = await q.sql.select().from(apiKeys).where(eq(apiKeys.id, id))
  return row
}

/** The keys of a project, oldest first. */
export async function listKeys(
  q: Queries,
  projectId: string,
  { includeRevoked }: { includeRevoked: boolean },
): Promise<ApiKeyRow[]> {
  const { apiKeys } = q.tables
  return q.sql
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.projectId, projectId), includeRevoked ? undefined : isNull(apiKeys.revokedAt)))
    .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id))
}

/** Of some keys, those that are good at `now`. */
export async function findGoodKeys(q: Queries, ids: readonly string[], now: number): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const { apiKeys } = q.tables
  const rows = await q.sql
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .where(
      and(
        inArray(apiKeys.id, [...ids]),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), sql`${apiKeys.expiresAt} > ${now}`),
      ),
    )
  return new Set(rows.map(({ id }) => id))
}

/** Ends a key, and tells every process. One that has ended already stays as it is. */
export async function revokeKey(q: Transaction, id: string, now: number): Promise<void> {
  const { apiKeys } = q.tables
  await q.sql
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
  q.wakeUp(ACCESS_KEY)
}

/** Notes when keys were last used, by id. Never earlier than it was noted before. */
export async function noteUse(q: Transaction, uses: ReadonlyMap<string, number>): Promise<void> {
  const { apiKeys } = q.tables
  for (const [id, at] of [...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    await q.sql
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, at))))
  }
}

/** Sets the limits of a key, null for those of its project alone, and notifies every process. */
export async function putKeyLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { apiKeys } = q.tables
  await q.sql.update(apiKeys).set({ limits }).where(eq(apiKeys.id, id))
  q.wakeUp(ACCESS_KEY)
}
