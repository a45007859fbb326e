import { and, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Limits } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy, statement } from '../connection/statement.ts'
import type { ApiKeyRow, Tables } from '../tables/tables.ts'

export type NewApiKey = Tables['apiKeys']['$inferInsert']

/** Wake-up key: API keys or limits have changed. */
export const ACCESS_KEY = 'access'

export interface KeyWithLimits {
  key: ApiKeyRow
  projectLimits: Limits | null
}

const keyByHandle = statement<{ handle: string }, KeyWithLimits[]>('key_by_handle', (q) => {
  const { apiKeys, projects } = q.tables
  return q.sql
    .select({ key: apiKeys, projectLimits: projects.limits })
    .from(apiKeys)
    .innerJoin(projects, eq(projects.id, apiKeys.projectId))
    .where(eq(apiKeys.handle, sql.placeholder('handle')))
})

/** Includes revoked and expired keys. */
export async function findKeyByHandle(q: Queries, handle: string): Promise<KeyWithLimits | undefined> {
  const [row] = await keyByHandle(q, { handle })
  return row
}

const firstKey = statement<Record<string, never>, { id: string }[]>('first_key', (q) => {
  const { apiKeys } = q.tables
  return q.sql.select({ id: apiKeys.id }).from(apiKeys).limit(1)
})

/** Whether a key was ever created; revoked ones count. */
export async function hasKeys(q: Queries): Promise<boolean> {
  return (await firstKey(q, {})).length > 0
}

export async function insertKey(q: Transaction, row: NewApiKey): Promise<ApiKeyRow> {
  const [inserted] = await q.sql.insert(q.tables.apiKeys).values(row).returning()
  q.wakeUp(ACCESS_KEY)
  return inserted!
}

/** A key of one project; undefined also when it is another project's. */
export const findKey = rowBy('apiKeys', 'projectId', 'id')

/** A key of any project. For operators. */
export const findAnyKey = rowBy('apiKeys', 'id')

/** The keys of a project, oldest first. */
export async function listKeys(
  q: Queries,
  projectId: string,
  { includeRevoked }: { includeRevoked: boolean },
): Promise<ApiKeyRow[]> {
  const { apiKeys } = q.tables
  const isListed = and(
    eq(apiKeys.projectId, projectId),
    includeRevoked ? undefined : isNull(apiKeys.revokedAt),
  )
  return q.sql.select().from(apiKeys).where(isListed).orderBy(apiKeys.createdAt, apiKeys.id)
}

/** The subset of `ids` that is neither revoked nor expired at `now`. */
export async function findActiveKeys(q: Queries, ids: readonly string[], now: number): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const { apiKeys } = q.tables
  const isUnexpired = or(isNull(apiKeys.expiresAt), sql`${apiKeys.expiresAt} > ${now}`)
  const isActive = and(inArray(apiKeys.id, ids), isNull(apiKeys.revokedAt), isUnexpired)
  const rows = await q.sql.select({ id: apiKeys.id }).from(apiKeys).where(isActive)
  return new Set(rows.map(({ id }) => id))
}

/** Idempotent: the first revocation's time stays. */
export async function revokeKey(q: Transaction, id: string, now: number): Promise<void> {
  const { apiKeys } = q.tables
  const isUnrevoked = and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt))
  await q.sql.update(apiKeys).set({ revokedAt: now }).where(isUnrevoked)
  q.wakeUp(ACCESS_KEY)
}

/** Records when keys were last used, by id. A recorded time is never replaced by an earlier one. */
export async function recordKeyUse(q: Transaction, uses: ReadonlyMap<string, number>): Promise<void> {
  const { apiKeys } = q.tables
  // In one order, so that two processes do not deadlock.
  for (const [id, at] of [...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const isEarlier = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, at))
    const isKey = and(eq(apiKeys.id, id), isEarlier)
    await q.sql.update(apiKeys).set({ lastUsedAt: at }).where(isKey)
  }
}

/** Null leaves only the limits of the key's project. */
export async function putKeyLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { apiKeys } = q.tables
  await q.sql.update(apiKeys).set({ limits }).where(eq(apiKeys.id, id))
  q.wakeUp(ACCESS_KEY)
}
