import { and, desc, eq, type SQL } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { countRows, readRange, type PageRange } from '../connection/keyset.ts'
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

export interface AuditFilter {
  projectId?: string | undefined
  subject?: string | undefined
}

/** Latest first. */
export function listAuditLog(q: Queries, filter: AuditFilter, range: PageRange): Promise<AuditRow[]> {
  const { audit } = q.tables
  return readRange(range, { at: audit.at, id: audit.id, descending: true }, (isInRange, orderBy) =>
    q.sql
      .select()
      .from(audit)
      .where(and(isListed(q, filter), isInRange))
      .orderBy(...orderBy)
      .limit(range.limit),
  )
}

export function countAuditLog(q: Queries, filter: AuditFilter): Promise<number> {
  return countRows(q, q.tables.audit, isListed(q, filter))
}

function isListed({ tables: { audit } }: Queries, { projectId, subject }: AuditFilter): SQL | undefined {
  return and(
    projectId === undefined ? undefined : eq(audit.projectId, projectId),
    subject === undefined ? undefined : eq(audit.subject, subject),
  )
}
