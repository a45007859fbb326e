// A report as a table: what stands in each column, under names that do not change.
import { isTime } from '../../engine/usage/slices.ts'
import { KEY_OF, type UsageQuery } from '../../engine/usage/query.ts'
import { knownCost, told, type UsageTotals, type UsageRow } from '../../engine/usage/report.ts'
import { wordOf } from './query-text.ts'

export interface KeyColumn {
  name: string
  /** Null for attempts that have none. */
  read: (row: UsageRow) => string | null
}

/** The columns that a report is grouped by, in that order. */
export function keyColumns({
  groupBy,
  metadataKey,
}: Pick<UsageQuery, 'groupBy' | 'metadataKey'>): KeyColumn[] {
  return groupBy.map((dimension) => ({
    name: wordOf(dimension, metadataKey),
    read: (row) =>
      isTime(dimension) ? (row[PERIODS[dimension]]?.label ?? null) : (row.keys[KEY_OF[dimension]] ?? null),
  }))
}

const PERIODS = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const

/** The sums, by their column. */
export const FIGURE_COLUMNS: readonly (readonly [
  name: string,
  read: (figures: UsageTotals) => number | string | null,
])[] = [
  ['tasks', ({ tasks }) => tasks],
  ['attempts', ({ attempts }) => attempts],
  ['images', ({ images }) => images],
  ['input_tokens', ({ inputTokens }) => told(inputTokens)],
  ['output_tokens', ({ outputTokens }) => told(outputTokens)],
  ['total_tokens', ({ totalTokens }) => told(totalTokens)],
  ['input_text_tokens', ({ inputTextTokens }) => told(inputTextTokens)],
  ['input_image_tokens', ({ inputImageTokens }) => told(inputImageTokens)],
  ['output_text_tokens', ({ outputTextTokens }) => told(outputTextTokens)],
  ['output_image_tokens', ({ outputImageTokens }) => told(outputImageTokens)],
  ['cost_micros', knownCost],
  ['cost_usd', (figures) => inUsd(knownCost(figures))],
  ['held_micros', ({ heldMicros }) => heldMicros],
  ['attempts_with_unknown_cost', ({ unknownCosts }) => unknownCosts],
  ['attempts_with_unknown_usage', ({ unknownUsages }) => unknownUsages],
]

function inUsd(micros: number | null): string | null {
  return micros === null ? null : usd(micros)
}

/** Micro-USD as USD, to the last digit: 0.041160. */
export function usd(micros: number, digits = 6): string {
  const sign = micros < 0 ? '-' : ''
  const text = String(Math.abs(micros)).padStart(7, '0')
  const [whole, part] = [text.slice(0, -6), text.slice(-6).slice(0, digits)]
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${part}`
}
