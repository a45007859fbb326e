import type { AttemptState, UnknownOutcomePolicy } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  failure: Failure
  /** Attempts of this part of the task so far, this one included. */
  attempts: number
  maxAttempts: number
  /** Permits of this part that are left when this attempt's charge counts as open. */
  permitsLeft: number
  onUnknownOutcome: UnknownOutcomePolicy
  cancelRequested: boolean
  /** A provider that could serve the task and has not been asked yet. */
  elsewhere: string | undefined
  /** The provider that failed. */
  here: string
  /** 0..1, for jitter. */
  random: number
}

/** Where the attempt ends, and the attempt that is to follow it; undefined when none may. */
export interface RetryDecision {
  attempt: Extract<AttemptState, 'NOT_SENT' | 'REJECTED' | 'FAILED' | 'UNKNOWN'>
  next: { provider: string; delayMs: number } | undefined
}

/** A wait longer than this is an answer: no. */
const MAX_WAIT_MS = 600_000
const BACKOFF_BASE_MS = 1000
const BACKOFF_CAP_MS = 60_000

/** Pure: the whole retry policy. Nothing that may have been charged is ever sent again without permission. */
export function decideRetry(now: FailedAttempt): RetryDecision {
  const { failure } = now
  if (failure.kind === 'lost') return { attempt: 'UNKNOWN', next: afterLoss(now) }
  if (failure.charged !== 'NO') return { attempt: 'FAILED', next: undefined }
  const attempt = failure.kind === 'unreached' ? 'NOT_SENT' : 'REJECTED'
  return { attempt, next: afterRefusal(now) }
}

function afterLoss(now: FailedAttempt): RetryDecision['next'] {
  const permitted = now.onUnknownOutcome === 'RESEND' && now.permitsLeft > 0
  if (!permitted || isOver(now)) return undefined
  return { provider: now.elsewhere ?? now.here, delayMs: backoffMs(now) }
}

function afterRefusal(now: FailedAttempt): RetryDecision['next'] {
  const { failure, elsewhere, here } = now
  if (failure.kind === 'rejected' || isOver(now)) return undefined
  if (elsewhere) return { provider: elsewhere, delayMs: 0 }
  const waitMs = failure.retryAfterMs ?? 0
  if (failure.kind === 'refused' || waitMs > MAX_WAIT_MS) return undefined
  return { provider: here, delayMs: Math.max(waitMs, backoffMs(now)) }
}

function isOver({ cancelRequested, attempts, maxAttempts }: FailedAttempt): boolean {
  return cancelRequested || attempts >= maxAttempts
}

/** Full jitter over an exponential window, so that many waiters do not come back at once. */
function backoffMs({ attempts, random }: FailedAttempt): number {
  return Math.round(random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempts - 1)))
}
