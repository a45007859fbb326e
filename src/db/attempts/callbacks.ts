import { eq, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type CallbackRow = Tables['callbacks']['$inferSelect']

const attemptByCallback = statement<{ sha256: string }, AttemptRow[]>(
  'attempt_by_callback',
  ({ sql: from, tables: { attempts } }) =>
    from
      .select()
      .from(attempts)
      .where(eq(attempts.callbackSha256, sql.placeholder('sha256'))),
)

/** The attempt whose callback address holds the secret with this hash. */
export async function findAttemptByCallback(q: Queries, sha256: string): Promise<AttemptRow | undefined> {
  const [row] = await attemptByCallback(q, { sha256 })
  return row
}

/** Keeps a callback. False when the same one is there already. */
export async function insertCallback(q: Transaction, row: CallbackRow): Promise<boolean> {
  const inserted = await q.sql
    .insert(q.tables.callbacks)
    .values(row)
    .onConflictDoNothing()
    .returning({ attemptId: q.tables.callbacks.attemptId })
  return inserted.length === 1
}

/** The callbacks that came for an attempt, oldest first. */
export async function listCallbacks(q: Queries, attemptId: string): Promise<CallbackRow[]> {
  const { callbacks } = q.tables
  return q.sql
    .select()
    .from(callbacks)
    .where(eq(callbacks.attemptId, attemptId))
    .orderBy(callbacks.receivedAt)
}
