import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Usage, WirePhase } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { CallResult, ResolvedSettings } from '../../providers/provider.ts'

/** How far the request provably got. Updated during a call. */
export interface WireEvidence {
  wirePhase: WirePhase
  httpStatus: number | null
  providerRequestId: string | null
}

export interface AttemptContext {
  task: TaskRow
  attempt: AttemptRow
  evidence: WireEvidence
}

/** The outcome of a step, to be settled. */
export type Outcome =
  | Exclude<CallResult, { state: 'DONE' }>
  | { state: 'DONE'; images: NewAsset[]; usage: Usage; resolved: ResolvedSettings }
  /** `costMicros` when the cost of the failure is known. */
  | { state: 'FAILED'; failure: Failure; costMicros?: number | null }
  /** No permit to send: the task was canceled, has ended, or has no charge left. */
  | { state: 'CANCELED' }
  /** The process stops before anything was sent: the attempt returns to the queue. */
  | { state: 'RELEASED' }
  | { state: 'LEASE_LOST' }

/** The evidence stored with an attempt, for a step without a call. */
export function storedEvidence({ wirePhase, httpStatus, providerRequestId }: AttemptRow): WireEvidence {
  return { wirePhase, httpStatus, providerRequestId }
}

/** A failure of kind `lost`: whether the attempt was charged is unknown. */
export function lost(message: string, more: Pick<Failure, 'isInternal' | 'cause'> = {}): Failure {
  return { kind: 'lost', code: 'OUTCOME_UNKNOWN', message, charged: 'UNKNOWN', ...more }
}
