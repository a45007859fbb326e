import type { NewAddress } from '../../db/attempts/addresses.ts'
import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Usage, WirePhase } from '../../domain.ts'
import type { Failure } from '../../providers/error.ts'
import type { CallResult, ReportedCost, ResolvedSettings } from '../../providers/provider.ts'

/** How far the request provably got. */
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

export interface IngestedResult {
  /** Stored images. */
  images: NewAsset[]
  /** Of images still to be downloaded. */
  addresses: NewAddress[]
}

/** The outcome of a step, to be settled. */
export type Outcome =
  | (Exclude<CallResult, { state: 'DONE' }> & {
      /** By default unchanged. */
      unobservedMs?: number
    })
  /** The check failed, which says nothing about the attempt. */
  | { state: 'UNCHECKED'; checkAfterMs: number; unobservedMs: number }
  | ({ state: 'DONE'; usage: Usage; resolved: ResolvedSettings } & IngestedResult & ReportedCost)
  | {
      state: 'FAILED'
      failure: Failure
      costMicros?: number | null
      /** A lost result will not arrive any more; false by default. */
      isFinal?: boolean
      /** How long evidence may delay a permitted resend; 0 by default. */
      minResendDelayMs?: number | undefined
    }
  /** No permit to send. */
  | { state: 'CANCELED' }
  /** Given back before anything was sent. Due again at once, or after `dueInMs`. */
  | { state: 'RELEASED'; dueInMs?: number }
  | { state: 'LEASE_LOST' }

export function storedEvidence({ wirePhase, httpStatus, providerRequestId }: AttemptRow): WireEvidence {
  return { wirePhase, httpStatus, providerRequestId }
}

export function lost(message: string, more: Pick<Failure, 'isInternal' | 'cause'> = {}): Failure {
  return { kind: 'lost', code: 'OUTCOME_UNKNOWN', message, charged: 'UNKNOWN', ...more }
}
