// What a decision about several attempts does, as sentences. Amounts are integers.
import type { AttemptResolution, ReviewAttempt, ReviewReason } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'

export type Decided = Pick<ReviewAttempt, 'heldMicros' | 'estimatedMicros'>
export type Bulk = Exclude<AttemptResolution, 'ADOPT_REMOTE_ID'>

/** Sum of the largest known amounts, and the number of attempts without one. */
export function sumOf(attempts: readonly Decided[]): { micros: number; unpriced: number } {
  const amounts = attempts.map(({ estimatedMicros, heldMicros }) => estimatedMicros ?? heldMicros)
  const known = amounts.filter((amount) => amount !== null)
  return { micros: known.reduce((sum, amount) => sum + amount, 0), unpriced: amounts.length - known.length }
}

export function effectOf(resolution: Bulk, reason: ReviewReason, attempts: readonly Decided[]): string {
  const { micros, unpriced } = sumOf(attempts)
  const count = attempts.length
  const amount = unpriced === count ? 'the amount is unknown' : formatMoney(micros)
  const rest = unpriced > 0 && unpriced < count ? `, and ${unpriced} without a known price` : ''
  const all = count === 1 ? 'it' : `all ${count}`
  if (reason === 'OUTCOME_UNKNOWN') {
    const tasks = count === 1 ? 'the task' : `${count} tasks`
    if (resolution === 'NOT_CHARGED')
      return `Runs ${tasks} again: ${unpriced === count ? amount : `up to ${amount}`}${rest}.`
    return `Ends ${tasks} as failed. ${costText(amount, unpriced === count)}${rest}.`
  }
  if (resolution === 'NOT_CHARGED') return `Records that ${all} cost nothing. Held amounts are released.`
  return `${costText(amount, unpriced === count)}${rest}.`
}

function costText(amount: string, isUnknown: boolean): string {
  return isUnknown ? 'The cost stays unknown, because no price is known' : `Records ${amount} as the cost`
}

/** Above this number the count is typed, so that no large change is made by a slip. */
export const MAX_UNTYPED = 10
export const MAX_SELECTED = 50
