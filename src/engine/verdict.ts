import type { AttemptState, UnknownOutcomePolicy } from '../domain.ts'
import type { Failure } from '../providers/error.ts'

/** What is known when an attempt has failed. */
export interface Situation {
  failure: Failure
  /** Attempts of the task so far, this one included. */
  attempts: number
  maxAttempts: number
  /** Permits that would be left if this attempt's charge counts as open. */
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

/** Where the attempt ends, and what becomes of the task. */
export interface Verdict {
  attempt: Extract<AttemptState, 'NOT_SENT' | 'REJECTED' | 'FAILED' | 'UNKNOWN'>
  task: { next: 'AGAIN'; provider: string; delayMs: number } | { next: 'FAIL' | 'HOLD' | 'CANCEL' }
}

/** A wait longer than this is an answer: no. */
const LONGEST_WAIT_MS = 600_000
const BACKOFF_BASE_MS = 1000
const BACKOFF_CAP_MS = 60_000

/** Pure: the whole retry policy. Nothing that may have been charged is ever sent again without permission. */
export function verdict(now: Situation): Verdict {
  const { failure } = now
  if (failure.kind === 'lost') return { attempt: 'UNKNOWN', task: afterLoss(now) }
  if (failure.charged !== 'NO') return { attempt: 'FAILED', task: ended(now) }
  const attempt = failure.kind === 'unreached' ? 'NOT_SENT' : 'REJECTED'
  return { attempt, task: afterRefusal(now) }
}

function afterLoss(now: Situation): Verdict['task'] {
  if (now.cancelRequested) return { next: 'CANCEL' }
  const permitted = now.onUnknownOutcome === 'RESEND' && now.permitsLeft > 0 && now.attempts < now.maxAttempts
  return permitted ? { next: 'AGAIN', provider: now.elsewhere ?? now.here, delayMs: backoffMs(now) } : { next: 'HOLD' }
}

function afterRefusal(now: Situation): Verdict['task'] {
  const { failure, elsewhere, here } = now
  if (now.cancelRequested || failure.kind === 'rejected' || now.attempts >= now.maxAttempts) return ended(now)
  if (elsewhere) return { next: 'AGAIN', provider: elsewhere, delayMs: 0 }
  const waitMs = failure.retryAfterMs ?? 0
  if (failure.kind === 'refused' || waitMs > LONGEST_WAIT_MS) return ended(now)
  return { next: 'AGAIN', provider: here, delayMs: Math.max(waitMs, backoffMs(now)) }
}

function ended(now: Situation): Verdict['task'] {
  return { next: now.cancelRequested ? 'CANCEL' : 'FAIL' }
}

/** Full jitter over an exponential window, so that many waiters do not come back at once. */
function backoffMs({ attempts, random }: Situation): number {
  return Math.round(random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempts - 1)))
}
