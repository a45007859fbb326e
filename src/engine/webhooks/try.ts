import type { NextDeliveryState } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow, TryRow } from '../../db/tables/tables.ts'
import type { DeliveryFailure } from '../../domain.ts'
import { PostError, type PostFailure, type PostMessage } from '../../providers/wire/post.ts'
import type { Deps } from '../deps.ts'

type TryDeps = Pick<Deps, 'clock' | 'delivery' | 'poster'>

export interface TryResult extends Omit<TryRow, 'deliveryId' | 'number'> {
  /** From Retry-After. */
  retryAfterMs: number | undefined
}

/** ABORTED if `abort` precedes a response. Never throws for network errors. */
export async function postOnce(
  { poster, clock, delivery: { timeoutMs } }: TryDeps,
  url: string,
  message: PostMessage,
  { at, abort }: { at: number; abort: AbortSignal },
): Promise<TryResult | 'ABORTED'> {
  const signal = AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)])
  const startedAt = clock.monotonic()
  try {
    const { status, retryAfterMs } = await poster.post(url, message, signal)
    const durationMs = Math.round(clock.monotonic() - startedAt)
    return { at, durationMs, httpStatus: status, failure: failureOf(status), retryAfterMs }
  } catch (error) {
    if (!(error instanceof PostError)) throw error
    if (abort.aborted) return 'ABORTED'
    const durationMs = Math.round(clock.monotonic() - startedAt)
    return { at, durationMs, httpStatus: null, failure: FAILURES[error.failure], retryAfterMs: undefined }
  }
}

const FAILURES: Record<PostFailure, DeliveryFailure> = {
  FORBIDDEN: 'ADDRESS_FORBIDDEN',
  UNREACHABLE: 'UNREACHABLE',
  TIMED_OUT: 'TIMED_OUT',
}

function failureOf(status: number): DeliveryFailure | null {
  if (status >= 200 && status < 300) return null
  if (status === 410) return 'GONE'
  return status >= 300 && status < 400 ? 'REDIRECTED' : 'REFUSED'
}

const JITTER = 0.2
const DAY_MS = 24 * 3_600_000

/**
 * Up to 20 % jitter separates deliveries that failed together. A longer Retry-After wins, up to a day. A test
 * is not repeated.
 */
export function nextState(
  { clock, random, delivery: { waitsMs } }: Pick<Deps, 'clock' | 'random' | 'delivery'>,
  { step, event }: Pick<DeliveryRow, 'step'> & Partial<Pick<DeliveryRow, 'event'>>,
  { failure, retryAfterMs = 0 }: TryResult,
): NextDeliveryState {
  if (failure === null) return { state: 'SUCCEEDED', at: clock.now() }
  const scheduled = event === 'WEBHOOK_TEST' ? undefined : waitsMs[step + 1]
  if (failure === 'GONE' || scheduled === undefined) return { state: 'FAILED', at: clock.now() }
  const jittered = scheduled * (1 + random() * JITTER)
  return { state: 'PENDING', waitMs: Math.round(Math.max(jittered, Math.min(retryAfterMs, DAY_MS))) }
}

export function maxWaitMs({ delivery: { waitsMs } }: Pick<Deps, 'delivery'>): number {
  return Math.ceil(Math.max(DAY_MS, ...waitsMs) * (1 + JITTER))
}
