// What drizzle-kit reads to write drizzle/postgresql, and what the PostgreSQL connections use.
import { postgresqlKit } from './kit.ts'
import { createTables } from './tables.ts'

export const postgresqlTables = createTables(postgresqlKit)
export const {
  projects,
  tasks,
  attempts,
  events,
  assets,
  callbacks,
  rests,
  audit,
  webhookEndpoints,
  webhookDeliveries,
  webhookTries,
  apiKeys,
  ledger,
  spending,
  budgets,
  usageDays,
  usageQuarters,
} = postgresqlTables
