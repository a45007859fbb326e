import type { AttemptState } from '../../domain.ts'
import type { AssetRow, AttemptRow } from '../tables/tables.ts'

/**
 * The results of a task: for each part, those of the first attempt that succeeded or whose images are being fetched.
 * Later ones belong to their attempt only. Takes all attempts and assets of the task, oldest first.
 */
export function selectResults(attempts: readonly AttemptRow[], assets: readonly AssetRow[]): AssetRow[] {
  const inState = (wanted: AttemptState) => attempts.filter(({ state }) => state === wanted).toReversed()
  const answered = [...inState('FETCHING'), ...inState('SUCCEEDED')]
  const first = new Map(answered.map((attempt) => [attempt.part, attempt.id]))
  const winners = new Set(first.values())
  return assets.filter(
    ({ kind, attemptId }) => kind === 'FINAL' && attemptId !== null && winners.has(attemptId),
  )
}
