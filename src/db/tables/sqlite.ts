// Also read by drizzle-kit.
import { sqliteKit } from './kit.ts'
import { createTables } from './tables.ts'

export const sqliteTables = createTables(sqliteKit)
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
} = sqliteTables
