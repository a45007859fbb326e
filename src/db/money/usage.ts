// What reports read: counts of attempts by day and by quarter of an hour, kept in the transactions that change them.
import { sql } from 'drizzle-orm'
import { startOfDay, startOfQuarter } from '../../period.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { AttemptRow, Tables } from '../tables/tables.ts'

export type UsageCountRow = Tables['usageDays']['$inferSelect']

/** What is counted. Tokens that nobody reported count nothing here, and their attempts as unknown. */
export const COUNTS = [
  'tasks',
  'attempts',
  'images',
  'unknownCosts',
  'unknownUsages',
  'heldMicros',
  'costMicros',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'inputTextTokens',
  'inputImageTokens',
  'outputTextTokens',
  'outputImageTokens',
] as const

export type Counts = Record<(typeof COUNTS)[number], number>

/** Adds to the counts of the day and the quarter in which an attempt was put into the queue. */
export async function addUsage(q: Transaction, attempt: AttemptRow, counts: Counts): Promise<void> {
  const { provider, model, projectId, createdAt } = attempt
  const row = { provider, model, projectId, apiKeyId: attempt.apiKeyId ?? '', ...counts }
  await addToDay(q, { ...row, startsAt: startOfDay(createdAt) })
  await addToQuarter(q, { ...row, startsAt: startOfQuarter(createdAt) })
}

const KEYS = ['startsAt', 'provider', 'model', 'projectId', 'apiKeyId'] as const

const addToDay = statement('add_usage_day', (q) => upsert(q, 'usageDays'))
const addToQuarter = statement('add_usage_quarter', (q) => upsert(q, 'usageQuarters'))

function upsert({ sql: into, tables }: Queries, name: 'usageDays' | 'usageQuarters') {
  const table = tables[name]
  const places = Object.fromEntries([...KEYS, ...COUNTS].map((column) => [column, sql.placeholder(column)]))
  const sums = COUNTS.map((column) => [
    column,
    sql`${table[column]} + excluded.${sql.identifier(table[column].name)}`,
  ])
  return (
    into
      .insert(table)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a place for every column
      .values(places as unknown as (typeof table)['$inferInsert'])
      .onConflictDoUpdate({
        target: KEYS.map((column) => table[column]),
        set: Object.fromEntries(sums),
      })
  )
}
