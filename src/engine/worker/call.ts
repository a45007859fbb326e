import { unlink } from 'node:fs/promises'
import { holdsLease } from '../../db/attempts/attempts.ts'
import { insertAssets, type NewAsset } from '../../db/tasks/assets.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { lockTask, updateTask } from '../../db/tasks/tasks.ts'
import { WIRE_PHASES, type TaskEventBody } from '../../domain.ts'
import { newId } from '../../ids.ts'
import type { Call } from '../../providers/provider.ts'
import { leaseOf } from '../attempts/apply-transition.ts'
import { storedEvidence, type WireEvidence } from '../attempts/outcome.ts'
import { toStorable } from '../../text.ts'
import type { Deps } from '../deps.ts'
import { ingestFile } from '../images/ingest.ts'
import { startDeadline } from './deadline.ts'

/** The call's signal aborts at the deadline after `timeoutMs`, or with `abortCalls`. */
export function openCall(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  timeoutMs: number,
  abortCalls: AbortSignal,
) {
  const evidence: WireEvidence = storedEvidence(attempt)
  const recorder = createRecorder(deps, task, attempt)
  const files: string[] = []
  const deadline = startDeadline(deps.clock, timeoutMs)
  const call: Call = {
    signal: AbortSignal.any([abortCalls, deadline.signal]),
    clientRef: attempt.id,
    newFile() {
      const file = deps.store.newFile()
      files.push(file)
      return file
    },
    onWire(phase, facts) {
      if (WIRE_PHASES.indexOf(phase) > WIRE_PHASES.indexOf(evidence.wirePhase)) evidence.wirePhase = phase
      evidence.httpStatus = facts?.httpStatus ?? evidence.httpStatus
      const requestId = facts?.providerRequestId
      if (requestId !== undefined) evidence.providerRequestId = toStorable(requestId)
    },
    onProgress: (fraction) => recorder.progress(fraction),
    onPartial: (file, index) => recorder.partial(file, index),
  }
  return {
    call,
    evidence,
    /** After the outcome: ends the deadline, and the recording of progress and partial images. Resolves soon. */
    end: async (): Promise<void> => {
      deadline.stop()
      await recorder.end()
    },
    /** Deletes leftovers in the spool; the sweep deletes those of a killed process. */
    close: async (): Promise<void> => {
      deadline.stop()
      await recorder.idle()
      await Promise.all(files.map((file) => unlink(file).catch(() => {})))
    },
  }
}

/** Partial images must not delay a result. */
const MAX_RECORDING_MS = 250

/**
 * In order of arrival. Errors are only logged. Nothing is written after the lease is lost: another attempt may report
 * then.
 */
export function createRecorder(deps: Deps, task: TaskRow, attempt: AttemptRow) {
  let queue = Promise.resolve()
  let hasEnded = false
  let last = task.progress
  let lastAt = -Infinity
  // Over all images of the task. The last percent belongs to the finished task.
  const progressOf = (fraction: number) => Math.min(0.99, (fraction * attempt.n) / task.request.n)
  const lease = leaseOf(attempt)

  function enqueue(work: () => Promise<void>): Promise<void> {
    queue = queue
      .then(() => (hasEnded ? undefined : work()))
      .catch((error: unknown) => {
        deps.log.warn({ attempt: attempt.id, err: error }, 'recording progress or a partial image failed')
      })
    return queue
  }

  async function write(progress: number, partial?: { asset: NewAsset; body: TaskEventBody }): Promise<void> {
    const at = deps.clock.now()
    await deps.db.tx(async (q) => {
      const current = await lockTask(q, task.id)
      if (current.status !== 'RUNNING' || !(await holdsLease(q, attempt.id, lease))) return
      const isProgress = progress > current.progress
      if (isProgress) await updateTask(q, task.id, ['RUNNING'], { progress })
      if (partial) await insertAssets(q, [partial.asset])
      if (partial) await appendEvents(q, task, [partial.body], at)
      else if (isProgress) await appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress }], at)
    })
  }

  return {
    progress(fraction: number): void {
      const progress = progressOf(fraction)
      const now = deps.clock.monotonic()
      if (!(progress > last) || now - lastAt < deps.tuning.progressIntervalMs) return
      last = progress
      lastAt = now
      void enqueue(() => write(progress))
    },

    partial(file: string, index: number): Promise<void> {
      return enqueue(async () => {
        const ingested = await ingestFile(deps, file)
        const createdAt = deps.clock.now()
        const id = newId('img', createdAt)
        const { id: attemptId, taskId, projectId } = attempt
        last = Math.max(last, progressOf((index + 1) / (task.request.partialImages + 1)))
        const place = { taskId, projectId, attemptId, kind: 'PARTIAL' as const, position: index }
        const body: TaskEventBody = { type: 'PARTIAL_IMAGE_RECEIVED', assetId: id, index }
        await write(last, { asset: { id, ...place, ...ingested, createdAt }, body })
      })
    },

    /** Resolves when all is stored, or after MAX_RECORDING_MS, which drops the rest. */
    async end(): Promise<void> {
      const timer = new AbortController()
      await Promise.race([queue, deps.clock.sleep(MAX_RECORDING_MS, timer.signal)])
      timer.abort('stopped')
      hasEnded = true
    },

    idle: () => queue,
  }
}
