import type { AttemptRow } from '../../db/tables/tables.ts'

/**
 * One result's part of its attempt's cost, in micro-USD. The parts sum to the cost. `positions`: of all
 * results, also deleted ones. Null until the attempt has ended, and without a known cost.
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
