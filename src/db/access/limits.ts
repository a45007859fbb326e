import { eq } from 'drizzle-orm'
import type { Limits } from '../../domain.ts'
import { ACCESS_KEY } from './api-keys.ts'
import type { Transaction } from '../connection/database.ts'

/** Sets what a project may ask for at a time, null for nothing of its own, and tells every process. */
export async function putProjectLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { projects } = q.tables
  await q.sql.update(projects).set({ limits }).where(eq(projects.id, id))
  q.wakeUp(ACCESS_KEY)
}

/** The same for a key. */
export async function putKeyLimits(q: Transaction, id: string, limits: Limits | null): Promise<void> {
  const { apiKeys } = q.tables
  await q.sql.update(apiKeys).set({ limits }).where(eq(apiKeys.id, id))
  q.wakeUp(ACCESS_KEY)
}
