import { rowBy } from '../connection/statement.ts'
import type { Queries, Transaction } from '../connection/database.ts'

const secretByName = rowBy('secrets', 'name')

/** A secret of this deployment; undefined before it is created. */
export async function findSecret(q: Queries, name: string): Promise<string | undefined> {
  return (await secretByName(q, name))?.value
}

/** Stores `value` unless the secret exists. Returns the stored one. */
export async function insertSecretIfAbsent(q: Transaction, name: string, value: string): Promise<string> {
  await q.sql.insert(q.tables.secrets).values({ name, value }).onConflictDoNothing()
  return (await findSecret(q, name))!
}
