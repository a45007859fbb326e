// A report as a table: what stands in each column, under names that do not change.
import type { CsvCell } from '../../csv.ts'
import { formatDecimalUsd } from '../../money.ts'
import { isTime } from '../../engine/usage/slices.ts'
import { KEY_OF, type UsageQuery } from '../../engine/usage/query.ts'
import {
  knownCost,
  told,
  type UsageTotals,
  type UsageReport,
  type UsageRow,
} from '../../engine/usage/report.ts'
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

/** A report as lines of cells, a line of names first. Without `groupBy`, the totals are its one line. */
export function* tableOf(
  query: Pick<UsageQuery, 'groupBy' | 'metadataKey'>,
  { rows, totals }: Pick<UsageReport, 'rows' | 'totals'>,
): Generator<CsvCell[], void> {
  const keys = keyColumns(query)
  const figures = (of: UsageTotals) => FIGURE_COLUMNS.map(([, read]) => read(of))
  yield [...keys.map(({ name }) => name), ...FIGURE_COLUMNS.map(([name]) => name)]
  if (keys.length === 0) yield figures(totals)
  for (const row of rows) yield [...keys.map(({ read }) => read(row)), ...figures(row.figures)]
}

function inUsd(micros: number | null): string | null {
  return micros === null ? null : formatDecimalUsd(micros)
}
