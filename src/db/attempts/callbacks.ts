import { eq } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy } from '../connection/statement.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type CallbackRow = Tables['callbacks']['$inferSelect']

const attemptByCallback = rowBy('attempts', 'callbackSha256')

/** The attempt whose callback URL holds the secret with this hash. */
export function findAttemptByCallback(q: Queries, callbackSha256: string): Promise<AttemptRow | undefined> {
  return attemptByCallback(q, { callbackSha256 })
}

/** False when the same callback is stored already. */
export async function insertCallback(q: Transaction, row: CallbackRow): Promise<boolean> {
  const inserted = await q.sql
    .insert(q.tables.callbacks)
    .values(row)
    .onConflictDoNothing()
    .returning({ attemptId: q.tables.callbacks.attemptId })
  return inserted.length === 1
}

/** The callbacks for an attempt, oldest first. */
export async function listCallbacks(q: Queries, attemptId: string): Promise<CallbackRow[]> {
  const { callbacks } = q.tables
  return q.sql
    .select()
    .from(callbacks)
    .where(eq(callbacks.attemptId, attemptId))
    .orderBy(callbacks.receivedAt)
}
