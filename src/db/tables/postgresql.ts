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
  cooldowns,
  audit,
  webhookEndpoints,
  webhookDeliveries,
  webhookTries,
  apiKeys,
  secrets,
  ledger,
  spending,
  budgets,
  usageDays,
  usageQuarterHours,
} = postgresqlTables

/**
 * How much of each limit is used up in the minute under way. Processes share it; on SQLite there is only one, which
 * keeps it in memory. Unlogged, since nothing is lost when a crash empties it.
 */
export const rateCounters = postgresqlKit.table('rate_counters', {
  key: postgresqlKit.text('key').primaryKey(),
  points: postgresqlKit.bigint('points').notNull(),
  expire: postgresqlKit.bigint('expire'),
})
