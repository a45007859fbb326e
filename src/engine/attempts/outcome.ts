import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Usage, WirePhase } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { Price, ResolvedSettings } from '../../providers/provider.ts'

/** What is known of how far the request got. Grows while a call runs. */
export interface WireEvidence {
  wirePhase: WirePhase
  httpStatus: number | null
  providerRequestId: string | null
}

/** A step that was taken: of which attempt, and how far it got. */
export interface AttemptContext {
  task: TaskRow
  attempt: AttemptRow
  evidence: WireEvidence
}

/** What came of a step, to be settled. */
export type Outcome =
  | { is: 'DONE'; images: NewAsset[]; usage: Usage; resolved: ResolvedSettings; price: Price | null }
  | Waiting
  /** `costMicros` when it is known what the failure cost. */
  | { is: 'FAILED'; failure: Failure; costMicros?: number | null }
  /** Its owner wants it stopped, and nothing was sent. */
  | { is: 'CANCELED' }
  /** The process ends before anything was sent: it goes back into the queue. */
  | { is: 'RELEASED' }
  /** Another worker has it now: nothing is left to do. */
  | { is: 'TAKEN' }

/** The provider has it and is not done; see Answer. */
export type Waiting =
  | { is: 'ACCEPTED'; remoteId: string; checkAfterMs: number }
  | { is: 'PENDING'; progress: number | null; checkAfterMs: number }
  | { is: 'MISSING'; checkAfterMs: number }
