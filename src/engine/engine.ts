import { renewLeases } from '../db/attempts.ts'
import type { TaskRow } from '../db/tables.ts'
import type { TaskFilter } from '../db/tasks.ts'
import { GatewayError } from '../errors.ts'
import { cancelTask } from './cancel.ts'
import { createTask, type Created } from './create.ts'
import type { Deps } from './deps.ts'
import { watchProject, watchTask, type Told } from './feed.ts'
import type { TaskInput } from './input.ts'
import { recoverAbandoned } from './recover.ts'
import { retryTask } from './retry.ts'
import { createRunner } from './runner.ts'

/** Every verb the edges may call. There is no second way in. */
export interface Engine {
  create(projectId: string, input: TaskInput): Promise<Created>
  cancel(projectId: string, taskId: string): Promise<TaskRow>
  retry(projectId: string, taskId: string, permission: { acceptPossibleSecondCharge: boolean }): Promise<TaskRow>
  watchTask(projectId: string, taskId: string, after: string | null): Promise<AsyncIterableIterator<Told>>
  watchProject(projectId: string, filter: TaskFilter, after: string | null): Promise<AsyncIterableIterator<Told>>
  /** Takes care of what the last process left behind, then begins to work. */
  start(): Promise<void>
  /** From now on `create` and `retry` are refused with SHUTTING_DOWN. */
  drain(): void
  /** Claims no more, lets paid calls end for up to `deadlineMs`, then cuts them: their outcome is then unknown. */
  stop(deadlineMs: number): Promise<void>
  /** How many viewers are being told about tasks at this moment, in this process. */
  watching(): number
}

/** How long the rest of a cut call may take to be written down. */
const SETTLE_MS = 10_000

export function createEngine(deps: Deps): Engine {
  const { db, clock, tuning, log, workerId, pokes } = deps
  const stopClaiming = new AbortController()
  const stopCalls = new AbortController()
  const stopBeating = new AbortController()
  const runner = createRunner(deps, stopCalls.signal)
  const loops: Promise<void>[] = []
  let draining = false

  async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, signal)
      if (signal.aborted) return
      await work().catch((error: unknown) => log.error({ err: error }, 'a periodic duty failed; trying again'))
    }
  }

  function refuseWhileDraining(): void {
    if (draining) throw new GatewayError('SHUTTING_DOWN', 'This server is shutting down. Ask again in a moment.')
  }

  return {
    create(projectId, input) {
      refuseWhileDraining()
      return createTask(deps, projectId, input)
    },
    retry(projectId, taskId, permission) {
      refuseWhileDraining()
      return retryTask(deps, projectId, taskId, permission)
    },
    cancel: (projectId, taskId) => cancelTask(deps, projectId, taskId),
    watchTask: (projectId, taskId, after) => watchTask(deps, projectId, taskId, after),
    watchProject: (projectId, filter, after) => watchProject(deps, projectId, filter, after),

    async start() {
      // SQLite is one process's own: whoever held a lease there is dead.
      await recoverAbandoned(deps, { all: db.dialect === 'sqlite' })
      await deps.store.sweep(SPOOL_AGE_MS)
      loops.push(
        runner.run(stopClaiming.signal),
        repeat(tuning.heartbeatMs, stopBeating.signal, () => db.tx((q) => renewLeases(q, workerId, tuning.leaseMs))),
        repeat(tuning.reapMs, stopClaiming.signal, () => recoverAbandoned(deps, { all: false })),
        repeat(SPOOL_AGE_MS, stopClaiming.signal, () => deps.store.sweep(SPOOL_AGE_MS)),
      )
    },

    drain() {
      draining = true
      stopClaiming.abort()
    },

    async stop(deadlineMs) {
      this.drain()
      const idle = runner.idle()
      // Heartbeats go on meanwhile, so that nobody takes our calls for dead.
      await Promise.race([idle, clock.sleep(deadlineMs, stopBeating.signal)])
      if (runner.active() > 0) log.warn({ calls: runner.active() }, 'cutting calls that are still under way; their outcome is unknown')
      stopCalls.abort()
      await Promise.race([idle, clock.sleep(SETTLE_MS, stopBeating.signal)])
      stopBeating.abort()
      await Promise.all(loops)
    },

    watching: () => pokes.count('task:') + pokes.count('feed:'),
  }
}

/** Spool files older than this belong to no call any more. */
const SPOOL_AGE_MS = 3_600_000
