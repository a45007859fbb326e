// Rollups, updated in the transactions that change attempts.
import { sql } from 'drizzle-orm'
import { TOKEN_COUNTS } from '../../domain.ts'
import { startOfDay, startOfQuarterHour } from '../../period.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { insertion, type Placeholders } from '../connection/statement.ts'
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
  const changes: Partial<UsageCounts> = {}
  for (const name of USAGE_COUNTS) if (counts[name] !== 0) changes[name] = counts[name]
  if (Object.keys(changes).length === 0) return
  const row = { provider, model, projectId, apiKeyId: attempt.apiKeyId ?? '', ...changes }
  await addToDay(q, { ...row, startsAt: startOfDay(createdAt) })
  await addToQuarterHour(q, { ...row, startsAt: startOfQuarterHour(createdAt) })
}

const KEYS = ['startsAt', 'provider', 'model', 'projectId', 'apiKeyId'] as const

type UsageKey = Pick<UsageCountRow, (typeof KEYS)[number]>
type ChangedCounts = UsageKey & Partial<UsageCounts>

const addToDay = insertion<ChangedCounts, unknown>('add_usage_day', (q, values) =>
  upsert(q, 'usageDays', values),
)
const addToQuarterHour = insertion<ChangedCounts, unknown>('add_usage_quarter_hour', (q, values) =>
  upsert(q, 'usageQuarterHours', values),
)

function upsert(
  { sql: into, tables }: Queries,
  name: 'usageDays' | 'usageQuarterHours',
  values: Placeholders<ChangedCounts>,
) {
  const table = tables[name]
  const changed = USAGE_COUNTS.filter((column) => column in values)
  const sums = changed.map((column) => [
    column,
    sql`${table[column]} + excluded.${sql.identifier(table[column].name)}`,
  ])
  return into
    .insert(table)
    .values(values)
    .onConflictDoUpdate({
      target: KEYS.map((column) => table[column]),
      set: Object.fromEntries(sums),
    })
}
