// Rollups, updated in the transactions that change attempts.
import { sql } from 'drizzle-orm'
import { TOKEN_COUNTS } from '../../domain.ts'
import { startOfDay, startOfQuarterHour } from '../../period.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type UsageCountRow = Tables['usageDays']['$inferSelect']

/** Excludes unreported tokens; `unknownUsages` counts their attempts. */
export const USAGE_COUNTS = [
  'tasks',
  'attempts',
  'images',
  'unknownCosts',
  'unknownUsages',
  'estimatedCosts',
  'heldMicros',
  'costMicros',
  'svgCostMicros',
  'estimatedMicros',
  ...TOKEN_COUNTS,
] as const

export type UsageCounts = Record<(typeof USAGE_COUNTS)[number], number>

/** Attempts count at the time they were queued. */
export async function addUsage(q: Transaction, attempt: AttemptRow, counts: UsageCounts): Promise<void> {
  const { provider, model, projectId, createdAt } = attempt
  const row = { provider, model, projectId, apiKeyId: attempt.apiKeyId ?? '', ...counts }
  await addToDay(q, { ...row, startsAt: startOfDay(createdAt) })
  await addToQuarterHour(q, { ...row, startsAt: startOfQuarterHour(createdAt) })
}

const KEYS = ['startsAt', 'provider', 'model', 'projectId', 'apiKeyId'] as const

const addToDay = statement('add_usage_day', (q) => upsert(q, 'usageDays'))
const addToQuarterHour = statement('add_usage_quarter_hour', (q) => upsert(q, 'usageQuarterHours'))

function upsert({ sql: into, tables }: Queries, name: 'usageDays' | 'usageQuarterHours') {
  const table = tables[name]
  const placeholders = Object.fromEntries(
    [...KEYS, ...USAGE_COUNTS].map((column) => [column, sql.placeholder(column)]),
  )
  const sums = USAGE_COUNTS.map((column) => [
    column,
    sql`${table[column]} + excluded.${sql.identifier(table[column].name)}`,
  ])
  return (
    into
      .insert(table)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a placeholder for every column
      .values(placeholders as unknown as (typeof table)['$inferInsert'])
      .onConflictDoUpdate({
        target: KEYS.map((column) => table[column]),
        set: Object.fromEntries(sums),
      })
  )
}
