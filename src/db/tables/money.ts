import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import { LEDGER_KINDS, PERIODS } from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

/** The tables of what was spent. The ledger is the truth; spending and usage are its sums, kept in the same transaction. */
export function createMoneyTables(
  { table, text, word, integer, bigint, index, uniqueIndex, primaryKey, check }: Kit,
  { attempts }: Record<'attempts', { id: AnyPgColumn }>,
) {
  /** One line for each change of what an attempt holds or costs; append-only. */
  const ledger = table(
    'ledger',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      attemptId: text('attempt_id')
        .notNull()
        .references(() => attempts.id),
      kind: word('kind', LEDGER_KINDS).notNull(),
      /** What is held, posted or released; for ADJUST the difference. Null for a HOLD or VOID whose worst case nobody knows. */
      amountMicros: bigint('amount_micros'),
      /** The price table it was reckoned with; null without one, and for what a bill says. */
      priceVersion: text('price_version'),
      at: bigint('at').notNull(),
    },
    (t) => [
      uniqueIndex('ledger_hold_once')
        .on(t.attemptId)
        .where(sql`${t.kind} = 'HOLD'`),
      uniqueIndex('ledger_close_once')
        .on(t.attemptId)
        .where(sql`${t.kind} in ('POST', 'VOID')`),
      index('ledger_of_attempt').on(t.attemptId, t.id),
      check('ledger_kind', oneOf(t.kind, LEDGER_KINDS)),
      check(
        'ledger_amount',
        sql`case ${t.kind} when 'ADJUST' then ${t.amountMicros} is not null when 'POST' then ${t.amountMicros} is not null and ${t.amountMicros} >= 0 else coalesce(${t.amountMicros}, 0) >= 0 end`,
      ),
    ],
  )

  /** What a project or an API key holds and has spent in a period of UTC. */
  const spending = table(
    'spending',
    {
      /** The id of the project or of the key. */
      owner: text('owner').notNull(),
      period: word('period', PERIODS).notNull(),
      /** The period's first moment; 0 for TOTAL. */
      startsAt: bigint('starts_at').notNull(),
      heldMicros: bigint('held_micros').notNull().default(0),
      spentMicros: bigint('spent_micros').notNull().default(0),
    },
    (t) => [
      primaryKey({ columns: [t.owner, t.period, t.startsAt] }),
      check('spending_period', oneOf(t.period, PERIODS)),
      check('spending_held', sql`${t.heldMicros} >= 0`),
      check('spending_spent', sql`${t.spentMicros} >= 0`),
    ],
  )

  /** How much a project or an API key may hold and spend in each period. */
  const budgets = table(
    'budgets',
    {
      owner: text('owner').notNull(),
      period: word('period', PERIODS).notNull(),
      projectId: text('project_id').notNull(),
      limitMicros: bigint('limit_micros').notNull(),
      setAt: bigint('set_at').notNull(),
    },
    (t) => [
      primaryKey({ columns: [t.owner, t.period] }),
      index('budgets_of_project').on(t.projectId),
      check('budgets_period', oneOf(t.period, PERIODS)),
      check('budgets_limit', sql`${t.limitMicros} >= 0`),
    ],
  )

  // What usage reports read. Both count each attempt at the moment it was put into the queue, for good.
  const counted = {
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    /** '' for what was asked without a key. */
    apiKeyId: text('api_key_id').notNull(),
    projectId: text('project_id').notNull(),
  }
  const counts = () => ({
    /** Counted with their first attempt. */
    tasks: integer('tasks').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    images: integer('images').notNull().default(0),
    /** Attempts that have ended, or are in doubt, with a possible charge of unknown cost. */
    unknownCosts: integer('unknown_costs').notNull().default(0),
    /** The same, of unknown usage. */
    unknownUsages: integer('unknown_usages').notNull().default(0),
    heldMicros: bigint('held_micros').notNull().default(0),
    costMicros: bigint('cost_micros').notNull().default(0),
    inputTokens: bigint('input_tokens').notNull().default(0),
    outputTokens: bigint('output_tokens').notNull().default(0),
    totalTokens: bigint('total_tokens').notNull().default(0),
    inputTextTokens: bigint('input_text_tokens').notNull().default(0),
    inputImageTokens: bigint('input_image_tokens').notNull().default(0),
    outputTextTokens: bigint('output_text_tokens').notNull().default(0),
    outputImageTokens: bigint('output_image_tokens').notNull().default(0),
  })

  /** Usage by day of UTC. The order of the key is the order that reports over days read it in. */
  const usageDays = table(
    'usage_days',
    { startsAt: bigint('starts_at').notNull(), ...counted, ...counts() },
    (t) => [primaryKey({ columns: [t.startsAt, t.provider, t.model, t.projectId, t.apiKeyId] })],
  )

  /** Usage by quarter of an hour: every offset from UTC in use is a multiple of it. */
  const usageQuarterHours = table(
    'usage_quarter_hours',
    { startsAt: bigint('starts_at').notNull(), ...counted, ...counts() },
    (t) => [primaryKey({ columns: [t.projectId, t.startsAt, t.provider, t.model, t.apiKeyId] })],
  )

  return { ledger, spending, budgets, usageDays, usageQuarterHours }
}
