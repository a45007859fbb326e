import { renewLeases } from '../db/attempts/attempts.ts'
import { releaseAllDeliveries } from '../db/webhooks/deliveries.ts'
import type {
  ApiKeyRow,
  AttemptRow,
  DeliveryRow,
  EndpointRow,
  ProjectRow,
  TaskRow,
} from '../db/tables/tables.ts'
import type { TaskFilter } from '../db/tasks/tasks.ts'
import type { Limits, Period } from '../domain.ts'
import { GatewayError } from '../errors.ts'
import { deciderOf, type Access } from './access/access.ts'
import { adoptReceivedAnswers } from './maintenance/adopt.ts'
import { adjustCost } from './attempts/adjust-cost.ts'
import { setBudget, type Budget } from './access/budgets.ts'
import { cancelTask } from './tasks/cancel.ts'
import { createTask, type CreatedTask } from './tasks/create.ts'
import type { Deps } from './deps.ts'
import {
  createWebhook,
  deleteWebhook,
  findOrMakeSecret,
  redeliverWebhook,
  type WebhookInput,
} from './webhooks/endpoints.ts'
import { watchProject, watchTask, type FeedItem } from './events/feed.ts'
import type { TaskInput } from './tasks/input.ts'
import type { CallerWithLimits } from './access/limiter.ts'
import { createKey, endKey, type KeyInput } from './access/keys.ts'
import { pauseProvider, resumeProvider, type PauseTarget } from './routing/pause.ts'
import { createProject } from './access/projects.ts'
import { createReadiness } from './worker/readiness.ts'
import { knowsCallback, receiveCallback, type CallbackResult } from './attempts/callbacks.ts'
import { reconcile } from './maintenance/reconcile.ts'
import { recoverAbandoned, warnOfStranded } from './maintenance/recover.ts'
import { resolveAttempt, type Resolution } from './attempts/resolve.ts'
import { createHousekeeping, UNUSED_FOR_MS } from './maintenance/housekeeping.ts'
import { markUnsentUnknown } from './maintenance/restored.ts'
import { retryTask } from './tasks/retry.ts'
import { createRunner } from './worker/runner.ts'
import { instrumentedCreate, instrumentedFeed, instrumentedRetry } from './tasks/instrumented.ts'
import type { UsageQuery } from './usage/query.ts'
import type { UsageReport } from './usage/report.ts'
import { watchUsage } from './usage/watch.ts'
import { setLimits } from './access/set-limits.ts'
import { createDeliverer } from './webhooks/deliverer.ts'

/** Every verb the edges may call. There is no second way in. */
export interface Engine {
  /** Counts one operation of whoever asks. Throws RATE_LIMITED when it is one too many. */
  admit(by: CallerWithLimits): Promise<void>
  create(by: CallerWithLimits, input: TaskInput): Promise<CreatedTask>
  cancel(projectId: string, taskId: string): Promise<TaskRow>
  retry(
    by: CallerWithLimits,
    taskId: string,
    permission: { acceptPossibleSecondCharge: boolean },
  ): Promise<TaskRow>
  watchTask(projectId: string, taskId: string, after: string | null): Promise<AsyncIterableIterator<FeedItem>>
  watchProject(
    projectId: string,
    filter: TaskFilter,
    after: string | null,
  ): Promise<AsyncIterableIterator<FeedItem>>
  watchUsage(query: UsageQuery & { projectId: string }): AsyncIterableIterator<UsageReport>
  /** Ends the doubt about an attempt by the word of an operator. */
  resolve(
    projectId: string,
    attemptId: string,
    resolution: Resolution,
    note: string | null,
  ): Promise<AttemptRow>
  pauseProvider(target: PauseTarget, reason: string): Promise<void>
  resumeProvider(target: PauseTarget): Promise<void>
  /** Answers the webhook with its secret, this once. */
  createWebhook(projectId: string, input: WebhookInput): Promise<EndpointRow>
  deleteWebhook(projectId: string, id: string): Promise<EndpointRow>
  redeliverWebhook(projectId: string, deliveryId: string): Promise<DeliveryRow>
  /** What signs posts to the callback addresses of a project's tasks. */
  webhookSecret(projectId: string): Promise<string>
  createProject(by: Access, name: string): Promise<ProjectRow>
  /** Answers the text of the key, this once. */
  createApiKey(by: Access, input: KeyInput): Promise<{ key: string; apiKey: ApiKeyRow }>
  setBudget(by: Access, owner: string, period: Period, limitMicros: number | null): Promise<Budget>
  setLimits(by: Access, owner: string, limits: Limits | null): Promise<Limits | null>
  /** Puts down what an attempt cost by the bill of its provider. */
  adjustCost(by: Access, attemptId: string, costMicros: number, note: string): Promise<AttemptRow>
  revokeApiKey(by: Access, id: string): Promise<ApiKeyRow>
  /** Whether a callback's secret is that of an attempt's own address. */
  knows(secret: string): Promise<boolean>
  /** Takes in what an upstream posted to an attempt's own address. */
  receive(secret: string, body: string): Promise<CallbackResult>
  /**
   * Takes care of what the last process left behind, then begins to work. When the database was `restored` from a backup,
   * what waits to be sent is put in doubt first.
   */
  start(options?: { restored?: boolean }): Promise<void>
  /** From now on nothing new is taken and nobody new may watch: both are refused with SHUTTING_DOWN. */
  drain(): void
  /**
   * Claims no more, lets paid calls end for up to `deadlineMs` or until `hurry` aborts, then cuts them: their outcome is
   * then unknown, and written down as such. Answers how many were cut.
   */
  stop(deadlineMs: number, hurry?: AbortSignal): Promise<{ cut: number }>
  /** Why this process should be given no work at this moment, in a sentence; undefined when nothing keeps it from it. */
  problem(): Promise<string | undefined>
  /** How many viewers are being told about tasks at this moment, in this process. */
  watching(): number
}

/** How long the rest of a cut call may take to be written down. */
const SETTLE_MS = 10_000

export function createEngine(deps: Deps): Engine {
  const { db, clock, tuning, log, workerId, wakeUps } = deps
  const stopClaiming = new AbortController()
  const cut = new AbortController()
  const over = new AbortController()
  const stopDelivering = new AbortController()
  const readiness = createReadiness(deps)
  const runner = createRunner(deps, { cut: cut.signal, over: over.signal }, readiness)
  const housekeeping = createHousekeeping(deps)
  const deliverer = createDeliverer(deps, cut.signal)
  const duties: Promise<void>[] = []
  let claiming = Promise.resolve()
  let delivering = Promise.resolve()
  let draining = false

  async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, signal)
      if (signal.aborted) return
      await work().catch((error: unknown) =>
        log.error({ err: error }, 'a periodic duty failed; trying again'),
      )
    }
  }

  async function stopTelling(): Promise<void> {
    stopDelivering.abort()
    await delivering
    await deliverer.idle()
  }

  function refuseWhileDraining(): void {
    if (draining)
      throw new GatewayError('SHUTTING_DOWN', 'This server is shutting down. Ask again in a moment.')
  }

  return {
    admit: (by) => deps.limiter.request(by),
    create(by, input) {
      refuseWhileDraining()
      return instrumentedCreate(deps, () => createTask(deps, by, input))
    },
    retry(by, taskId, permission) {
      refuseWhileDraining()
      return instrumentedRetry(deps, () => retryTask(deps, by, taskId, permission))
    },
    cancel: (projectId, taskId) => cancelTask(deps, projectId, taskId),
    watchTask(projectId, taskId, after) {
      refuseWhileDraining()
      return instrumentedFeed(deps, watchTask(deps, projectId, taskId, after))
    },
    watchProject(projectId, filter, after) {
      refuseWhileDraining()
      return instrumentedFeed(deps, watchProject(deps, projectId, filter, after))
    },
    watchUsage(query) {
      refuseWhileDraining()
      return watchUsage(deps, query)
    },

    resolve: (projectId, attemptId, resolution, note) =>
      resolveAttempt(deps, projectId, attemptId, resolution, note),
    pauseProvider: (target, reason) => pauseProvider(deps, target, reason),
    resumeProvider: (target) => resumeProvider(deps, target),
    createWebhook: (projectId, input) => createWebhook(deps, projectId, input),
    deleteWebhook: (projectId, id) => deleteWebhook(deps, projectId, id),
    redeliverWebhook: (projectId, deliveryId) => redeliverWebhook(deps, projectId, deliveryId),
    webhookSecret: (projectId) => findOrMakeSecret(deps, projectId),
    createProject: (by, name) => createProject(deps, deciderOf(by), name),
    createApiKey: (by, input) => createKey(deps, deciderOf(by), by.projectId, input),
    setBudget: (by, owner, period, limitMicros) => setBudget(deps, deciderOf(by), owner, period, limitMicros),
    setLimits: (by, owner, limits) => setLimits(deps, deciderOf(by), owner, limits),
    adjustCost: (by, attemptId, costMicros, note) => adjustCost(deps, by, attemptId, costMicros, note),
    revokeApiKey: (by, id) => endKey(deps, deciderOf(by), id),
    knows: (secret) => knowsCallback(deps, secret),
    receive: (secret, body) => receiveCallback(deps, secret, body),

    async start({ restored = false } = {}) {
      // SQLite is one process's own: whoever held a lease there is dead.
      const all = db.dialect === 'sqlite'
      if (restored) await markUnsentUnknown(deps)
      await adoptReceivedAnswers(deps, { all }, over.signal)
      await recoverAbandoned(deps, { all })
      await warnOfStranded(deps)
      await deps.store.sweep(UNUSED_FOR_MS)
      if (all) await db.tx((q) => releaseAllDeliveries(q, workerId))
      claiming = runner.run(stopClaiming.signal)
      delivering = deliverer.run(stopDelivering.signal)
      duties.push(
        repeat(tuning.heartbeatMs, over.signal, () =>
          db.tx((q) => renewLeases(q, workerId, runner.held(), tuning.leaseMs)),
        ),
        repeat(tuning.reapMs, stopClaiming.signal, async () => {
          await recoverAbandoned(deps, { all: false })
          await adoptReceivedAnswers(deps, { all: false }, over.signal)
        }),
        repeat(tuning.reapMs, stopClaiming.signal, () => reconcile(deps, stopClaiming.signal)),
        repeat(REMOVE_ROWS_EVERY_MS, stopClaiming.signal, () => housekeeping.removeRows(stopClaiming.signal)),
        repeat(UNUSED_FOR_MS, stopClaiming.signal, async () => {
          // Spool files that are so old belong to no call any more.
          await deps.store.sweep(UNUSED_FOR_MS)
          // Images that are younger than a backup look unused in its database.
          if (!restored) await housekeeping.collectFiles(stopClaiming.signal)
        }),
      )
    },

    drain() {
      draining = true
      stopClaiming.abort()
    },

    async stop(deadlineMs, hurry) {
      this.drain()
      // What ends meanwhile is still told to webhooks.
      const idle = claiming.then(() => runner.idle()).then(stopTelling)
      // Heartbeats go on meanwhile, so that nobody takes our calls for dead.
      const patience = hurry ? AbortSignal.any([hurry, over.signal]) : over.signal
      await Promise.race([idle, clock.sleep(deadlineMs, patience)])
      const calls = runner.held().length
      if (calls > 0) log.warn({ calls }, 'cutting calls that are still under way; their outcome is unknown')
      cut.abort()
      stopDelivering.abort()
      await Promise.race([idle, clock.sleep(SETTLE_MS, over.signal)])
      over.abort()
      await Promise.all(duties)
      return { cut: calls }
    },

    problem: async () => (draining ? 'shutting down' : readiness.problem()),
    watching: () => wakeUps.count('task:') + wakeUps.count('feed:'),
  }
}

/** Often enough that little is to be done each time. */
const REMOVE_ROWS_EVERY_MS = 300_000
