import { asc, inArray, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion } from '../connection/statement.ts'
import type { LedgerRow } from '../tables/tables.ts'

/** Adds a line. Throws when the attempt has one of its kind already that it may have only once. */
export async function insertLine(q: Transaction, line: LedgerRow): Promise<void> {
  await newLine(q, line)
}

const newLine = insertion<LedgerRow, unknown>('ledger_line', ({ sql: into, tables: { ledger } }, values) =>
  into.insert(ledger).values(values),
)

/** The lines of some attempts, each one's oldest first. */
export async function listLines(q: Queries, attemptIds: readonly string[]): Promise<LedgerRow[]> {
  const { ledger } = q.tables
  return (
    q.sql
      .select()
      .from(ledger)
      .where(inArray(ledger.attemptId, [...attemptIds]))
      // A hold and its end may fall into one millisecond.
      .orderBy(
        asc(ledger.attemptId),
        asc(ledger.at),
        sql`case ${ledger.kind} when 'HOLD' then 0 else 1 end`,
        asc(ledger.id),
      )
  )
}
