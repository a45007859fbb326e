// Column names are public.
import type { CsvCell } from '../../csv.ts'
import { formatDecimalUsd } from '../../money.ts'
import { isTime, KEY_OF, type UsageQuery } from '../../engine/usage/query.ts'
import {
  knownCost,
  nullIfZero,
  type UsageTotals,
  type UsageReport,
  type UsageRow,
} from '../../engine/usage/report.ts'
import { dimensionText } from './query-text.ts'

export interface KeyColumn {
  name: string
  read: (row: UsageRow) => string | null
}

export function keyColumns({
  groupBy,
  metadataKey,
}: Pick<UsageQuery, 'groupBy' | 'metadataKey'>): KeyColumn[] {
  return groupBy.map((dimension) => ({
    name: dimensionText(dimension, metadataKey),
    read: (row) =>
      isTime(dimension) ? (row[PERIODS[dimension]]?.label ?? null) : (row.keys[KEY_OF[dimension]] ?? null),
  }))
}

const PERIODS = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const

export const TOTALS_COLUMNS: readonly (readonly [
  name: string,
  read: (totals: UsageTotals) => number | string | null,
])[] = [
  ['tasks', ({ tasks }) => tasks],
  ['attempts', ({ attempts }) => attempts],
  ['images', ({ images }) => images],
  ['input_tokens', ({ inputTokens }) => nullIfZero(inputTokens)],
  ['output_tokens', ({ outputTokens }) => nullIfZero(outputTokens)],
  ['total_tokens', ({ totalTokens }) => nullIfZero(totalTokens)],
  ['input_text_tokens', ({ inputTextTokens }) => nullIfZero(inputTextTokens)],
  ['input_image_tokens', ({ inputImageTokens }) => nullIfZero(inputImageTokens)],
  ['output_text_tokens', ({ outputTextTokens }) => nullIfZero(outputTextTokens)],
  ['output_image_tokens', ({ outputImageTokens }) => nullIfZero(outputImageTokens)],
  ['cost_micros', knownCost],
  ['cost_usd', (totals) => inUsd(knownCost(totals))],
  ['held_micros', ({ heldMicros }) => heldMicros],
  ['attempts_with_unknown_cost', ({ unknownCosts }) => unknownCosts],
  ['attempts_with_unknown_usage', ({ unknownUsages }) => unknownUsages],
  ['estimated_cost_micros', ({ estimatedMicros }) => estimatedMicros],
  ['attempts_with_estimated_cost', ({ estimatedCosts }) => estimatedCosts],
  ['svg_input_tokens', ({ svgInputTokens }) => nullIfZero(svgInputTokens)],
  ['svg_output_tokens', ({ svgOutputTokens }) => nullIfZero(svgOutputTokens)],
  ['svg_reasoning_tokens', ({ svgReasoningTokens }) => nullIfZero(svgReasoningTokens)],
  ['svg_cost_micros', ({ svgCostMicros }) => svgCostMicros],
]

/** Header, then rows; totals without `groupBy`. */
export function* tableOf(
  query: Pick<UsageQuery, 'groupBy' | 'metadataKey'>,
  { rows, totals }: Pick<UsageReport, 'rows' | 'totals'>,
): Generator<CsvCell[], void> {
  const keys = keyColumns(query)
  const cellsOf = (of: UsageTotals) => TOTALS_COLUMNS.map(([, read]) => read(of))
  yield [...keys.map(({ name }) => name), ...TOTALS_COLUMNS.map(([name]) => name)]
  if (keys.length === 0) yield cellsOf(totals)
  for (const row of rows) yield [...keys.map(({ read }) => read(row)), ...cellsOf(row.counts)]
}

function inUsd(micros: number | null): string | null {
  return micros === null ? null : formatDecimalUsd(micros)
}
