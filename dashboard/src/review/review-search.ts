// Parameters of the URL of the Review page.
import type { ReviewReason } from '../api/generated.ts'

export const REASONS: readonly ReviewReason[] = ['OUTCOME_UNKNOWN', 'COST_UNKNOWN', 'COST_ESTIMATED']

export interface ReviewSearch {
  /** Absent for unknown outcomes. */
  reason?: ReviewReason | undefined
  /** The attempt whose panel is open. */
  attempt?: string | undefined
}

export function readReviewSearch(given: Readonly<Record<string, unknown>>): ReviewSearch {
  const reason = REASONS.find((one) => one === given['reason'])
  const { attempt } = given
  return {
    ...(reason && reason !== 'OUTCOME_UNKNOWN' && { reason }),
    ...(typeof attempt === 'string' && attempt.startsWith('att_') && { attempt }),
  }
}
