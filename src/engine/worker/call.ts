// What a provider receives for one call, and what is recorded during it.
import { rm } from 'node:fs/promises'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { WirePhase } from '../../domain.ts'
import { WIRE_PHASES } from '../../domain.ts'
import type { Call } from '../../providers/provider.ts'
import { storedEvidence, type WireEvidence } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { createRecorder, type RecorderDeps } from './recorder.ts'

export type CallDeps = RecorderDeps & Pick<Deps, 'store'>

export interface OpenCall {
  call: Call
  evidence: WireEvidence
  /** Resolves when every progress and preview so far is stored. */
  recorded: () => Promise<void>
  /** Removes what the call left in the spool. */
  close: () => Promise<void>
}

/** Opens a call for one step of an attempt. Its signal aborts after `timeoutMs`, or when `cut` does. */
export function openCall(
  deps: CallDeps,
  task: TaskRow,
  attempt: AttemptRow,
  timeoutMs: number,
  cut: AbortSignal,
): OpenCall {
  const evidence = storedEvidence(attempt)
  const recorder = createRecorder(deps, task, attempt)
  const files: string[] = []
  return {
    evidence,
    call: {
      signal: AbortSignal.any([cut, AbortSignal.timeout(timeoutMs)]),
      clientRef: attempt.id,
      newFile() {
        const file = deps.store.newFile()
        files.push(file)
        return file
      },
      onWire(phase, seen) {
        evidence.wirePhase = later(evidence.wirePhase, phase)
        evidence.httpStatus = seen?.httpStatus ?? evidence.httpStatus
        evidence.providerRequestId = seen?.providerRequestId ?? evidence.providerRequestId
      },
      onProgress: (fraction) => recorder.progress(fraction),
      onPartial: (file, index) => recorder.partial(file, index),
    },
    recorded: () => recorder.idle(),
    async close() {
      // What cannot be removed now is left to the sweep.
      await Promise.all(files.map((file) => rm(file, { force: true }).catch(() => {})))
    },
  }
}

function later(a: WirePhase, b: WirePhase): WirePhase {
  return WIRE_PHASES.indexOf(a) > WIRE_PHASES.indexOf(b) ? a : b
}
