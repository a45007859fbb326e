import { eq } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy } from '../connection/statement.ts'
import type { Tables } from '../tables/tables.ts'

export type CallbackRow = Tables['callbacks']['$inferSelect']

export const findAttemptByCallback = rowBy('attempts', 'callbackSha256')

/** False for a repeated callback. */
export async function insertCallback(q: Transaction, row: CallbackRow): Promise<boolean> {
  const inserted = await q.sql.insert(q.tables.callbacks).values(row).onConflictDoNothing().returning()
  return inserted.length === 1
}

export async function listCallbacks(q: Queries, attemptId: string): Promise<CallbackRow[]> {
  const { callbacks } = q.tables
  const ofAttempt = eq(callbacks.attemptId, attemptId)
  return q.sql.select().from(callbacks).where(ofAttempt).orderBy(callbacks.receivedAt)
}
