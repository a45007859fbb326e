import { desc, eq } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import type { Tables } from '../tables/tables.ts'

export type AuditRow = Tables['audit']['$inferSelect']

export async function insertAudit(q: Transaction, row: AuditRow): Promise<void> {
  await q.sql.insert(q.tables.audit).values(row)
}

/** Latest first. `subject`: id of a project, key or attempt. */
export async function listAudit(q: Queries, subject: string): Promise<AuditRow[]> {
  const { audit } = q.tables
  return q.sql.select().from(audit).where(eq(audit.subject, subject)).orderBy(desc(audit.at), desc(audit.id))
}
