import { rowBy } from '../connection/statement.ts'
import type { Queries, Transaction } from '../connection/database.ts'

const secretByName = rowBy('secrets', 'name')

export async function findSecret(q: Queries, name: string): Promise<string | undefined> {
  return (await secretByName(q, name))?.value
}

/** Returns the stored secret, perhaps an earlier one. */
export async function insertSecretIfAbsent(q: Transaction, name: string, value: string): Promise<string> {
  await q.sql.insert(q.tables.secrets).values({ name, value }).onConflictDoNothing()
  return (await findSecret(q, name))!
}
