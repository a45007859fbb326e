import { and, eq, isNull, sql } from 'drizzle-orm'
import { findProject } from '../access/projects.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { rowBy, statement } from '../connection/statement.ts'
import type { EndpointRow, Tables } from '../tables/tables.ts'

export type NewEndpoint = Tables['webhookEndpoints']['$inferInsert']

export async function insertEndpoint(q: Transaction, row: NewEndpoint): Promise<EndpointRow> {
  const [inserted] = await q.sql.insert(q.tables.webhookEndpoints).values(row).returning()
  return inserted!
}

const endpointsOfProject = statement<{ projectId: string }, EndpointRow[]>('endpoints_of_project', (q) => {
  const { webhookEndpoints: endpoints } = q.tables
  const ofProject = eq(endpoints.projectId, sql.placeholder('projectId'))
  const isListed = and(ofProject, isNull(endpoints.deletedAt))
  return q.sql.select().from(endpoints).where(isListed).orderBy(endpoints.id)
})

/** Oldest first, with disabled ones, without deleted ones. */
export function listEndpoints(q: Queries, projectId: string): Promise<EndpointRow[]> {
  return endpointsOfProject(q, { projectId })
}

/** Also deleted ones. Undefined for another project's. */
export const findEndpoint = rowBy('webhookEndpoints', 'projectId', 'id')

export async function updateEndpoint(
  q: Transaction,
  id: string,
  set: Partial<Pick<EndpointRow, 'events' | 'description' | 'disabledAt'>>,
): Promise<EndpointRow> {
  const { webhookEndpoints } = q.tables
  const [row] = await q.sql.update(webhookEndpoints).set(set).where(eq(webhookEndpoints.id, id)).returning()
  return row!
}

/** Deleting removes the secret. */
export async function closeEndpoint(
  q: Transaction,
  id: string,
  set: { disabledAt: number } | { deletedAt: number; secret: null },
): Promise<void> {
  const { webhookEndpoints } = q.tables
  await q.sql.update(webhookEndpoints).set(set).where(eq(webhookEndpoints.id, id))
}

/** For callback URLs; undefined before its first use. */
export async function findWebhookSecret(q: Queries, projectId: string): Promise<string | undefined> {
  return (await findProject(q, projectId))?.webhookSecret ?? undefined
}

/** Returns the stored secret, perhaps an earlier one. */
export async function insertWebhookSecretIfAbsent(
  q: Transaction,
  projectId: string,
  secret: string,
): Promise<string> {
  const { projects } = q.tables
  const webhookSecret = sql`coalesce(${projects.webhookSecret}, ${secret})`
  const [row] = await q.sql
    .update(projects)
    .set({ webhookSecret })
    .where(eq(projects.id, projectId))
    .returning()
  if (!row?.webhookSecret) throw new Error(`There is no project ${projectId}.`)
  return row.webhookSecret
}
