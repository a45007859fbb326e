import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Usage, WirePhase } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { ResolvedSettings } from '../../providers/provider.ts'

/** What is known of how far the request got. Grows during a call. */
export interface WireEvidence {
  wirePhase: WirePhase
  httpStatus: number | null
  providerRequestId: string | null
}

/** The attempt of a step, its task, and how far the request got. */
export interface AttemptContext {
  task: TaskRow
  attempt: AttemptRow
  evidence: WireEvidence
}

/** The outcome of a step, to be settled. */
export type Outcome =
  | { is: 'DONE'; images: NewAsset[]; usage: Usage; resolved: ResolvedSettings }
  | Waiting
  /** `costMicros` when the cost of the failure is known. */
  | { is: 'FAILED'; failure: Failure; costMicros?: number | null }
  /** Its owner canceled it, and nothing was sent. */
  | { is: 'CANCELED' }
  /** The process ends before anything was sent: it returns to the queue. */
  | { is: 'RELEASED' }
  /** Another worker has it now: nothing is left to do. */
  | { is: 'TAKEN' }

/** The provider has it and is not done; see Answer. */
export type Waiting =
  | { is: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { is: 'PENDING'; progress: number | null; checkAfterMs: number }
  | { is: 'MISSING'; checkAfterMs: number }

/** The evidence that is stored of an attempt, for a step without a call. */
export function storedEvidence({ wirePhase, httpStatus, providerRequestId }: AttemptRow): WireEvidence {
  return { wirePhase, httpStatus, providerRequestId }
}
