import { inArray, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion } from '../connection/statement.ts'
import type { LedgerRow } from '../tables/tables.ts'

/** Throws on a second HOLD of an attempt, and on a second POST or VOID. */
export async function insertLine(q: Transaction, line: LedgerRow): Promise<void> {
  await newLine(q, line)
}

const newLine = insertion<LedgerRow, unknown>('ledger_line', ({ sql: into, tables: { ledger } }, values) =>
  into.insert(ledger).values(values),
)

/** Each attempt's oldest first. */
export async function listLines(q: Queries, attemptIds: readonly string[]): Promise<LedgerRow[]> {
  const { ledger } = q.tables
  const { attemptId, at, id } = ledger
  // A hold and its end may share a millisecond, as an estimate and the cost.
  const holdsFirst = sql`case when ${ledger.kind} = 'HOLD' then 0 when ${ledger.source} = 'ESTIMATE' then 1 else 2 end`
  const ofAttempts = inArray(attemptId, attemptIds)
  return q.sql.select().from(ledger).where(ofAttempts).orderBy(attemptId, at, holdsFirst, id)
}
