import { eq } from 'drizzle-orm'
import type { Queries, Transaction } from '../connection/database.ts'

/** A secret of this deployment; undefined while there is none of the name. */
export async function findSecret(q: Queries, name: string): Promise<string | undefined> {
  const { secrets } = q.tables
  const [row] = await q.sql.select({ value: secrets.value }).from(secrets).where(eq(secrets.name, name))
  return row?.value
}

/** Keeps `fresh` unless there is one of the name already, and answers the one that counts. */
export async function keepSecret(q: Transaction, name: string, fresh: string): Promise<string> {
  await q.sql.insert(q.tables.secrets).values({ name, value: fresh }).onConflictDoNothing()
  const kept = await findSecret(q, name)
  if (kept === undefined) throw new Error(`The secret ${name} was not kept.`)
  return kept
}
