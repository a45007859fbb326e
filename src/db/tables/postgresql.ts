// Also read by drizzle-kit.
import { postgresqlKit } from './kit.ts'
import { createTables } from './tables.ts'

export const postgresqlTables = createTables(postgresqlKit)
export const {
  projects,
  tasks,
  attempts,
  events,
  assets,
  deletedImages,
  callbacks,
  calls,
  resultAddresses,
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
  databaseInfo,
  dataFolders,
  taskLabels,
  taskClasses,
  classTasks,
  taskWords,
  tasksWithoutWords,
  taskInputs,
} = postgresqlTables

/** Unlogged: may be empty after a crash. */
export const rateCounters = postgresqlKit.table('rate_counters', {
  key: postgresqlKit.text('key').primaryKey(),
  points: postgresqlKit.bigint('points').notNull(),
  expire: postgresqlKit.bigint('expire'),
})
