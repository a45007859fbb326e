// One try of a delivery: what came of it, and what follows.
import type { AfterTry } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow, TryRow } from '../../db/tables/tables.ts'
import type { DeliveryFailure } from '../../domain.ts'
import { PostError, type PostFailure, type PostMessage } from '../../providers/wire/post.ts'
import type { Deps } from '../deps.ts'

export type TryDeps = Pick<Deps, 'clock' | 'delivery' | 'poster'>

/** The result of one try. */
export interface Tried extends Omit<TryRow, 'deliveryId' | 'number'> {
  /** How long the receiver asks us to wait; undefined when it does not say. */
  retryAfterMs: number | undefined
}

/** Posts once. 'CUT' when `cut` aborted before an answer came: then nothing is known. Never throws for a network. */
export async function tryToPost(
  { poster, clock, delivery: { timeoutMs } }: TryDeps,
  url: string,
  message: PostMessage,
  { at, cut }: { at: number; cut: AbortSignal },
): Promise<Tried | 'CUT'> {
  const signal = AbortSignal.any([cut, AbortSignal.timeout(timeoutMs)])
  try {
    const { status, retryAfterMs } = await poster.post(url, message, signal)
    const durationMs = clock.now() - at
    return { at, durationMs, httpStatus: status, failure: failureOf(status), retryAfterMs }
  } catch (error) {
    if (!(error instanceof PostError)) throw error
    if (cut.aborted) return 'CUT'
    const durationMs = clock.now() - at
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

/**
 * Pure but for chance. A wait is up to a fifth longer than the schedule says, so that what failed together does not come
 * back together, and as long as the receiver asked for if that is longer, but never more than a day.
 */
export function afterTry(
  { clock, random, delivery: { waitsMs } }: Pick<Deps, 'clock' | 'random' | 'delivery'>,
  { step }: Pick<DeliveryRow, 'step'>,
  { failure, retryAfterMs = 0 }: Tried,
): AfterTry {
  if (failure === null) return { state: 'SUCCEEDED', at: clock.now() }
  const scheduled = waitsMs[step + 1]
  if (failure === 'GONE' || scheduled === undefined) return { state: 'FAILED', at: clock.now() }
  const jittered = scheduled * (1 + random() * JITTER)
  return { state: 'PENDING', waitMs: Math.round(Math.max(jittered, Math.min(retryAfterMs, A_DAY_MS))) }
}

const JITTER = 0.2
const A_DAY_MS = 24 * 3_600_000
