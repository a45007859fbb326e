import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { EndpointRow, Tables } from '../tables/tables.ts'

export type NewEndpoint = Tables['webhookEndpoints']['$inferInsert']

/** Inserts a webhook. */
export async function insertEndpoint(q: Transaction, row: NewEndpoint): Promise<EndpointRow> {
  const [inserted] = await q.sql.insert(q.tables.webhookEndpoints).values(row).returning()
  if (!inserted) throw new Error(`The webhook ${row.id} was not inserted.`)
  return inserted
}

const endpointsOfProject = statement<{ projectId: string }, EndpointRow[]>(
  'endpoints_of_project',
  ({ sql: from, tables: { webhookEndpoints } }) =>
    from
      .select()
      .from(webhookEndpoints)
      .where(
        and(eq(webhookEndpoints.projectId, sql.placeholder('projectId')), isNull(webhookEndpoints.deletedAt)),
      )
      .orderBy(asc(webhookEndpoints.id)),
)

/** The webhooks of a project, disabled ones too and deleted ones not, oldest first. */
export function listEndpoints(q: Queries, projectId: string): Promise<EndpointRow[]> {
  return endpointsOfProject(q, { projectId })
}

const endpointById = statement<{ id: string; projectId: string }, EndpointRow[]>(
  'endpoint_by_id',
  ({ sql: from, tables: { webhookEndpoints } }) =>
    from
      .select()
      .from(webhookEndpoints)
      .where(
        and(
          eq(webhookEndpoints.id, sql.placeholder('id')),
          eq(webhookEndpoints.projectId, sql.placeholder('projectId')),
        ),
      ),
)

/** A webhook of a project, even a deleted one; undefined when there is none, or when it is another project's. */
export async function findEndpoint(
  q: Queries,
  projectId: string,
  id: string,
): Promise<EndpointRow | undefined> {
  const [row] = await endpointById(q, { id, projectId })
  return row
}

/** Tells a webhook nothing more: `deletedAt` forgets its secret as well. */
export async function closeEndpoint(
  q: Transaction,
  id: string,
  set: { disabledAt: number } | { deletedAt: number; secret: null },
): Promise<void> {
  const { webhookEndpoints } = q.tables
  await q.sql.update(webhookEndpoints).set(set).where(eq(webhookEndpoints.id, id))
}

/** The secret that signs what goes to callback addresses; undefined while there is none. */
export async function findWebhookSecret(q: Queries, projectId: string): Promise<string | undefined> {
  const { projects } = q.tables
  const [row] = await q.sql
    .select({ secret: projects.webhookSecret })
    .from(projects)
    .where(eq(projects.id, projectId))
  return row?.secret ?? undefined
}

/** Keeps `fresh` as a project's secret unless it has one, and answers the one that counts. */
export async function keepWebhookSecret(q: Transaction, projectId: string, fresh: string): Promise<string> {
  const { projects } = q.tables
  const [row] = await q.sql
    .update(projects)
    .set({ webhookSecret: sql`coalesce(${projects.webhookSecret}, ${fresh})` })
    .where(eq(projects.id, projectId))
    .returning({ secret: projects.webhookSecret })
  if (!row?.secret) throw new Error(`There is no project ${projectId}.`)
  return row.secret
}
