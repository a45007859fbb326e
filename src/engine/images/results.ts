import type { AssetRow, AttemptRow } from '../../db/tables/tables.ts'
import type { AttemptState } from '../../domain.ts'

/**
 * Per part, those of the first attempt that succeeded or whose images are being fetched. Later ones belong to
 * their attempt only.
 */
export function resultsAmong(attempts: readonly AttemptRow[], assets: readonly AssetRow[]): AssetRow[] {
  const inState = (wanted: AttemptState) => attempts.filter(({ state }) => state === wanted).toReversed()
  const answered = [...inState('FETCHING'), ...inState('SUCCEEDED')]
  const first = new Map(answered.map((attempt) => [attempt.part, attempt.id]))
  const winners = new Set(first.values())
  return assets.filter(
    ({ kind, attemptId }) => kind === 'FINAL' && attemptId !== null && winners.has(attemptId),
  )
}
