import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import { LEDGER_KINDS, LEDGER_SOURCES, PERIODS } from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

export function createMoneyTables(
  { table, text, reference, word, integer, bigint, index, uniqueIndex, primaryKey, check }: Kit,
  { attempts }: Record<'attempts', { id: AnyPgColumn }>,
) {
  /** Append-only; one line per change of an attempt's held amount or cost. */
  const ledger = table(
    'ledger',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      attemptId: reference('attempt_id', () => attempts.id),
      kind: word('kind', LEDGER_KINDS).notNull(),
      /** ADJUST: the difference. Null without a known worst case. */
      amountMicros: bigint('amount_micros'),
      /** Part of a POST for the author of an SVG; null without one. */
      svgMicros: bigint('svg_micros'),
      /** Null for HOLD and VOID, and from version 0.1. */
      source: word('source', LEDGER_SOURCES),
      /** Null without one, or for a bill's amount. */
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

  const spending = table(
    'spending',
    {
      /** Project or API key. */
      owner: text('owner').notNull(),
      period: word('period', PERIODS).notNull(),
      /** 0 for TOTAL. */
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

  // Both rollups count an attempt when it was queued, even if its cost becomes known later.
  const keys = {
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    /** '' without a key. */
    apiKeyId: text('api_key_id').notNull(),
    projectId: text('project_id').notNull(),
  }
  const counts = () => ({
    /** Counted with the first attempt. */
    tasks: integer('tasks').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    images: integer('images').notNull().default(0),
    /** Of ended or UNKNOWN attempts with a possible charge. */
    unknownCosts: integer('unknown_costs').notNull().default(0),
    unknownUsages: integer('unknown_usages').notNull().default(0),
    /** With an estimate in place of a known cost. */
    estimatedCosts: integer('estimated_costs').notNull().default(0),
    heldMicros: bigint('held_micros').notNull().default(0),
    costMicros: bigint('cost_micros').notNull().default(0),
    /** For authors of SVGs. */
    svgCostMicros: bigint('svg_cost_micros').notNull().default(0),
    estimatedMicros: bigint('estimated_micros').notNull().default(0),
    inputTokens: bigint('input_tokens').notNull().default(0),
    outputTokens: bigint('output_tokens').notNull().default(0),
    totalTokens: bigint('total_tokens').notNull().default(0),
    inputTextTokens: bigint('input_text_tokens').notNull().default(0),
    inputImageTokens: bigint('input_image_tokens').notNull().default(0),
    outputTextTokens: bigint('output_text_tokens').notNull().default(0),
    outputImageTokens: bigint('output_image_tokens').notNull().default(0),
    svgInputTokens: bigint('svg_input_tokens').notNull().default(0),
    svgOutputTokens: bigint('svg_output_tokens').notNull().default(0),
    svgReasoningTokens: bigint('svg_reasoning_tokens').notNull().default(0),
  })

  /** The key has the order in which reports read it. */
  const usageDays = table(
    'usage_days',
    { startsAt: bigint('starts_at').notNull(), ...keys, ...counts() },
    (t) => [primaryKey({ columns: [t.startsAt, t.provider, t.model, t.projectId, t.apiKeyId] })],
  )

  /** UTC offsets in use are multiples of a quarter of an hour. */
  const usageQuarterHours = table(
    'usage_quarter_hours',
    { startsAt: bigint('starts_at').notNull(), ...keys, ...counts() },
    (t) => [primaryKey({ columns: [t.projectId, t.startsAt, t.provider, t.model, t.apiKeyId] })],
  )

  return { ledger, spending, budgets, usageDays, usageQuarterHours }
}
