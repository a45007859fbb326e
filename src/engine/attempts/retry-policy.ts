import { listAttempts } from '../../db/attempts/attempts.ts'
import type { Queries } from '../../db/connection/database.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { AttemptState, UnknownOutcomePolicy } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { findRoutes } from '../routing/route.ts'
import { isLive } from './machine.ts'

export interface FailedAttempt {
  failure: Failure
  /** Attempts of this part, including this one. */
  attempts: number
  maxAttempts: number
  /** For this part, if this attempt is charged. */
  permitsLeft: number
  onUnknownOutcome: UnknownOutcomePolicy
  cancelRequested: boolean
  provider: string
  /** The best untried one. */
  otherProvider: string | undefined
  /** How long evidence may still arrive; 0 by default. */
  minResendDelayMs?: number | undefined
  /** 0..1, for jitter. */
  random: number
}

export interface RetryDecision {
  state: Extract<AttemptState, 'NOT_SENT' | 'REJECTED' | 'FAILED' | 'UNKNOWN'>
  next: { provider: string; delayMs: number } | undefined
}

/** A longer `retryAfterMs` is a refusal. */
const MAX_WAIT_MS = 600_000
const BACKOFF_BASE_MS = 1000
const MAX_BACKOFF_MS = 60_000

/** Pure. What may have been charged is never sent again without permission. */
export function decideRetry(failed: FailedAttempt): RetryDecision {
  const { failure } = failed
  if (failure.kind === 'lost') return { state: 'UNKNOWN', next: afterLoss(failed) }
  if (failure.charged !== 'NO') return { state: 'FAILED', next: undefined }
  const state = failure.kind === 'unreached' ? 'NOT_SENT' : 'REJECTED'
  return { state, next: afterFreeFailure(failed) }
}

function afterLoss(failed: FailedAttempt): RetryDecision['next'] {
  const isPermitted = failed.onUnknownOutcome === 'RESEND' && failed.permitsLeft > 0
  if (!isPermitted || isLast(failed)) return undefined
  const delayMs = Math.max(failed.minResendDelayMs ?? 0, backoffMs(failed))
  return { provider: failed.otherProvider ?? failed.provider, delayMs }
}

function afterFreeFailure(failed: FailedAttempt): RetryDecision['next'] {
  const { failure, otherProvider, provider } = failed
  if (failure.kind === 'rejected' || isLast(failed)) return undefined
  if (otherProvider) return { provider: otherProvider, delayMs: 0 }
  const waitMs = failure.retryAfterMs ?? 0
  if (failure.kind === 'refused' || waitMs > MAX_WAIT_MS) return undefined
  return { provider, delayMs: Math.max(waitMs, backoffMs(failed)) }
}

function isLast({ cancelRequested, attempts, maxAttempts }: FailedAttempt): boolean {
  return cancelRequested || attempts >= maxAttempts
}

/** Exponential, full jitter: spreads retries. */
function backoffMs({ attempts, random }: FailedAttempt): number {
  return Math.round(random * Math.min(MAX_BACKOFF_MS, BACKOFF_BASE_MS * 2 ** (attempts - 1)))
}

export async function planRetry(
  q: Queries,
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { failure, minResendDelayMs = 0 }: { failure: Failure; minResendDelayMs?: number | undefined },
): Promise<RetryDecision> {
  const ofPart = (await listAttempts(q, [task.id])).filter(({ part }) => part === attempt.part)
  const charged = ofPart.filter(({ id, charged: c }) => id === attempt.id || c !== 'NO').length
  const tried = new Set(ofPart.map(({ provider }) => provider))
  const { state, next } = decideRetry({
    failure,
    attempts: ofPart.length,
    maxAttempts: deps.tuning.maxAttempts,
    permitsLeft: task.maxCharges - charged,
    onUnknownOutcome: task.request.onUnknownOutcome,
    cancelRequested: task.cancelRequestedAt !== null,
    provider: attempt.provider,
    otherProvider: (await listEligible(q, deps, task, attempt)).find((name) => !tried.has(name)),
    minResendDelayMs: Math.max(minResendDelayMs, lookupWaitMs(deps, attempt)),
    random: deps.random(),
  })
  // Late failures of earlier attempts plan nothing: a successor exists.
  const isLatest = ofPart.at(-1)?.id === attempt.id
  const isOtherLive = ofPart.some((other) => other.id !== attempt.id && isLive(other.state))
  // On PostgreSQL another process may have the provider.
  const isServed =
    next && (deps.db.dialect === 'postgresql' || findProvider(deps.providers, next.provider) !== undefined)
  return { state, next: isLatest && !isOtherLive && isServed ? next : undefined }
}

/** Until a lost response was looked up twice, at a provider that can find it by our id. */
function lookupWaitMs({ providers, tuning: { lookupDelaysMs } }: Deps, { provider }: AttemptRow): number {
  const canFind = findProvider(providers, provider)?.find !== undefined
  return canFind ? (lookupDelaysMs[1] ?? lookupDelaysMs[0] ?? 0) : 0
}

/** Best first, without providers in cooldown or without a needed price. */
async function listEligible(q: Queries, deps: Deps, task: TaskRow, { n }: AttemptRow): Promise<string[]> {
  try {
    const routes = await findRoutes(q, deps, task, { ...task.request, n })
    return routes
      .filter(({ match, inCooldown, lacksPrice }) => match.maxN >= n && !inCooldown && !lacksPrice)
      .map(({ provider }) => provider.name)
  } catch (error) {
    // The configuration has changed.
    if (error instanceof GatewayError) return []
    throw error
  }
}
