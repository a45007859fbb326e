import { and, eq, inArray, isNull, lt, or, sql, type SQL } from 'drizzle-orm'
import type { Limits } from '../../domain.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
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

/** Also revoked and expired keys. */
export async function findKeyByHandle(q: Queries, handle: string): Promise<KeyWithLimits | undefined> {
  const [row] = await keyByHandle(q, { handle })
  return row
}

const firstKey = statement<Record<string, never>, { id: string }[]>('first_key', (q) => {
  const { apiKeys } = q.tables
  return q.sql.select({ id: apiKeys.id }).from(apiKeys).limit(1)
})

export async function hasKeys(q: Queries): Promise<boolean> {
  return (await firstKey(q, {})).length > 0
}

export async function insertKey(q: Transaction, row: NewApiKey): Promise<ApiKeyRow> {
  const [inserted] = await q.sql.insert(q.tables.apiKeys).values(row).returning()
  q.wakeUp(ACCESS_KEY)
  return inserted!
}

/** Undefined also for a key of another project. */
export const findKey = rowBy('apiKeys', 'projectId', 'id')

export const findAnyKey = rowBy('apiKeys', 'id')

/** Oldest first. */
export function listKeys(
  q: Queries,
  projectId: string,
  which: { includeRevoked: boolean },
  range: PageRange,
): Promise<ApiKeyRow[]> {
  const { apiKeys } = q.tables
  return readRange(range, { at: apiKeys.createdAt, id: apiKeys.id }, (isInRange, orderBy) =>
    q.sql
      .select()
      .from(apiKeys)
      .where(and(isListed(q, projectId, which), isInRange))
      .orderBy(...orderBy)
      .limit(range.limit),
  )
}

export function countKeys(
  q: Queries,
  projectId: string,
  which: { includeRevoked: boolean },
): Promise<number> {
  return countRows(q, q.tables.apiKeys, isListed(q, projectId, which))
}

function isListed(
  { tables: { apiKeys } }: Queries,
  projectId: string,
  { includeRevoked }: { includeRevoked: boolean },
): SQL | undefined {
  return and(eq(apiKeys.projectId, projectId), includeRevoked ? undefined : isNull(apiKeys.revokedAt))
}

/** Those neither revoked nor expired at `now`. */
export async function findActiveKeys(q: Queries, ids: readonly string[], now: number): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const { apiKeys } = q.tables
  const isUnexpired = or(isNull(apiKeys.expiresAt), sql`${apiKeys.expiresAt} > ${now}`)
  const isActive = and(inArray(apiKeys.id, ids), isNull(apiKeys.revokedAt), isUnexpired)
  const rows = await q.sql.select({ id: apiKeys.id }).from(apiKeys).where(isActive)
  return new Set(rows.map(({ id }) => id))
}

/** The first revocation stays. */
export async function revokeKey(q: Transaction, id: string, now: number): Promise<void> {
  const { apiKeys } = q.tables
  const isUnrevoked = and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt))
  await q.sql.update(apiKeys).set({ revokedAt: now }).where(isUnrevoked)
  q.wakeUp(ACCESS_KEY)
}

/** By key id. A later recorded time stays. */
export async function recordKeyUse(q: Transaction, uses: ReadonlyMap<string, number>): Promise<void> {
  const { apiKeys } = q.tables
  // In one order, against deadlocks.
  for (const [id, at] of [...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const isEarlier = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, at))
    const isKey = and(eq(apiKeys.id, id), isEarlier)
    await q.sql.update(apiKeys).set({ lastUsedAt: at }).where(isKey)
  }
}

/** Null: only the project's. */
export async function putKeyLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { apiKeys } = q.tables
  await q.sql.update(apiKeys).set({ limits }).where(eq(apiKeys.id, id))
  q.wakeUp(ACCESS_KEY)
}
