import type { AttemptRow } from '../../db/tables/tables.ts'

/**
 * The part of an attempt's cost that one of its results is accounted for, in micro-USD. The parts of all results sum to the
 * cost. `positions` are those of all results, also deleted ones. Null until the attempt has ended, and without a known cost.
 */
export function costShare(
  { costMicros, finishedAt }: Pick<AttemptRow, 'costMicros' | 'finishedAt'>,
  positions: readonly number[],
  position: number,
): number | null {
  if (costMicros === null || finishedAt === null) return null
  const upTo = (rank: number) => Math.floor((costMicros * rank) / positions.length)
  const rank = positions.filter((other) => other < position).length
  return upTo(rank + 1) - upTo(rank)
}
