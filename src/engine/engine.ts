import { renewLeases } from '../db/attempts/attempts.ts'
import { limitWaits, releaseFromFuture } from '../db/maintenance/clock.ts'
import { releaseAllDeliveries } from '../db/webhooks/deliveries.ts'
import type { TaskFilter } from '../db/tasks/tasks.ts'
import type { Period } from '../domain.ts'
import { GatewayError, Unavailable } from '../errors.ts'
import { deciderOf, type Access } from './access/access.ts'
import { adjustCost } from './attempts/adjust-cost.ts'
import { fetchResult } from './attempts/fetch-result.ts'
import {
  adjustCosts,
  resolveAttempts,
  type BulkResolution,
  type CostLine,
  type ReviewSelection,
} from './attempts/resolve-many.ts'
import { createBills } from './bills/bills.ts'
import { setBudget } from './access/budgets.ts'
import { cancelTask } from './tasks/cancel.ts'
import { createCalls, type WaitingCall } from './tasks/calls.ts'
import { createForCall } from './tasks/create-for-call.ts'
import { createTask } from './tasks/create.ts'
import type { Deps } from './deps.ts'
import {
  createWebhook,
  deleteWebhook,
  ensureWebhookSecret,
  redeliverWebhook,
  sendTestWebhook,
  updateWebhook,
  type WebhookChange,
  type WebhookInput,
} from './webhooks/endpoints.ts'
import { watchProject, watchTask } from './events/feed.ts'
import { createValueWatch } from './events/value-watch.ts'
import type { TaskInput } from './tasks/input.ts'
import type { CallerWithLimits } from './access/limiter.ts'
import { createKey, revokeApiKey, type KeyInput } from './access/keys.ts'
import { pauseProvider, resumeProvider, type PauseTarget } from './routing/health.ts'
import { watchProviders } from './routing/watch.ts'
import { createProject } from './access/projects.ts'
import { createRepeat } from './repeat.ts'
import { createReadiness } from './worker/readiness.ts'
import { checkLate } from './worker/late-checks.ts'
import { isKnownCallback, receiveCallback } from './attempts/callbacks.ts'
import { decideUnknownCharges } from './maintenance/decide-charges.ts'
import { estimateUnknownCosts } from './maintenance/estimate-costs.ts'
import { createQueueMover } from './maintenance/move-queued.ts'
import { reconcile } from './maintenance/reconcile.ts'
import { settleReceivedAnswers } from './maintenance/adopt.ts'
import { markDataFolderLost, recordOwnDataFolder } from './maintenance/data-folders.ts'
import { recoverAbandoned, recoverUncheckable, warnOfStranded } from './maintenance/recover.ts'
import { markUnsentUnknown } from './maintenance/restore.ts'
import { listAnswerFileNames } from './attempts/received-answer.ts'
import { resolveAttempt, type Resolution } from './attempts/resolve.ts'
import { maxWaitMs } from './webhooks/try.ts'
import { createClockWatch } from './maintenance/clock-watch.ts'
import { createDeletion } from './images/deletion.ts'
import { createHousekeeping, UNUSED_FOR_MS } from './maintenance/housekeeping.ts'
import { quote, type QuotedInput } from './tasks/quote.ts'
import { retryTask } from './tasks/retry.ts'
import { updateTask, type TaskLabels } from './tasks/update.ts'
import { createRunner } from './worker/runner.ts'
import { instrumentedCreate, instrumentedFeed, instrumentedRetry } from './tasks/instrumented.ts'
import { createCompletionEstimate } from './usage/completion.ts'
import type { UsageQuery } from './usage/query.ts'
import { watchUsage } from './usage/watch.ts'
import { setRetention, type RetentionChange } from './maintenance/set-retention.ts'
import { setLimits, type LimitsChange } from './access/set-limits.ts'
import { createDeliverer } from './webhooks/deliverer.ts'

export type Engine = ReturnType<typeof createEngine>

/** Time to record the outcomes of calls that were cut. */
const MAX_SETTLE_MS = 10_000
const REMOVE_ROWS_INTERVAL_MS = 300_000
/** A request takes a minute to arrive, and its images wait to be stored. */
const INPUT_UNUSED_MS = 600_000
/** Another process may serve the client at once, this one after its restart. */
const RESTART_MS = 2_000
/** An operator must restore it. */
const NO_FOLDER_RETRY_MS = 30_000

export function createEngine(deps: Deps) {
  const { db, clock, tuning, log, workerId, wakeUps } = deps
  const stopClaiming = new AbortController()
  const stopDelivering = new AbortController()
  const abortCalls = new AbortController()
  const exit = new AbortController()
  const readiness = createReadiness(deps)
  const stop = stopClaiming.signal
  const signals = { handOver: stop, abortCalls: abortCalls.signal, exit: exit.signal }
  const runner = createRunner(deps, signals, readiness)
  const fetcher = createRunner(deps, signals, readiness, { fetching: true })
  const housekeeping = createHousekeeping(deps)
  const { idle: isDeleted, ...deletion } = createDeletion(deps, exit.signal)
  const clockWatch = createClockWatch(deps)
  const deliverer = createDeliverer(deps, abortCalls.signal)
  const watchValue = createValueWatch(deps)
  const openCalls = createCalls(deps)
  const jobs: Promise<void>[] = []
  const reported = new Set<string>()
  let claiming: Promise<unknown> = Promise.resolve()
  let delivering = Promise.resolve()
  let isDraining = false

  const repeat = createRepeat(deps)
  const isHeld = (attemptId: string) => runner.holds(attemptId) || fetcher.holds(attemptId)

  /** Received answers are settled before anything is decided about their attempts. */
  async function recover(all: boolean): Promise<void> {
    const scope = { all, isHeld, reported }
    await settleReceivedAnswers(deps, scope, exit.signal)
    await recoverAbandoned(deps, scope, exit.signal)
    await recoverUncheckable(deps, { all: db.dialect === 'sqlite' })
  }

  /** `isAlone`: no other process uses the data folder, and this one has not begun. */
  async function sweep({ isAlone = false } = {}): Promise<void> {
    await deps.store.removeInputs(isAlone ? undefined : INPUT_UNUSED_MS)
    await deps.store.sweep(UNUSED_FOR_MS, await listAnswerFileNames(deps.store.spool))
  }

  function refuseWhileDraining(): void {
    if (isDraining)
      throw new GatewayError('SHUTTING_DOWN', 'This server is shutting down. Retry in a few seconds.', {
        retryAfterMs: RESTART_MS,
      })
  }

  async function refuseWithoutFolder(): Promise<void> {
    if (await readiness.isFolderMissing())
      throw new Unavailable('The data folder of this server is missing.', NO_FOLDER_RETRY_MS)
  }

  return {
    defaultLimits: deps.defaultLimits,
    /** Throws RATE_LIMITED. */
    countRequest: (by: CallerWithLimits) => deps.limiter.countRequest(by),
    /** `call`: of a request that waits for the result. It may attach to the task of an earlier one. */
    createTask(by: CallerWithLimits, input: TaskInput, call?: WaitingCall) {
      refuseWhileDraining()
      return instrumentedCreate(deps, async () => {
        await refuseWithoutFolder()
        return call && input.idempotencyKey === null
          ? createForCall(deps, by, input, { call, calls: openCalls })
          : createTask(deps, by, input)
      })
    },
    calls: openCalls,
    quote: (by: Access, input: QuotedInput) => quote(deps, by, input),
    cancelTask: (projectId: string, taskId: string) => cancelTask(deps, projectId, taskId),
    updateTask: (projectId: string, taskId: string, change: TaskLabels) =>
      updateTask(deps, projectId, taskId, change),
    ...deletion,
    estimateCompletion: createCompletionEstimate(deps),
    retryTask(by: CallerWithLimits, taskId: string, permission: { acceptPossibleSecondCharge: boolean }) {
      refuseWhileDraining()
      return instrumentedRetry(deps, async () => {
        await refuseWithoutFolder()
        return retryTask(deps, by, taskId, permission)
      })
    },
    watchTask(projectId: string, taskId: string, after: string | null) {
      refuseWhileDraining()
      return instrumentedFeed(deps, watchTask(deps, projectId, taskId, after))
    },
    watchProject(projectId: string, filter: TaskFilter, after: string | null) {
      refuseWhileDraining()
      return instrumentedFeed(deps, watchProject(deps, projectId, filter, after))
    },
    watchUsage(query: UsageQuery & { projectId: string }) {
      refuseWhileDraining()
      return watchUsage(deps, watchValue, query)
    },
    watchProviders() {
      refuseWhileDraining()
      return watchProviders(deps, watchValue)
    },

    resolveAttempt: (projectId: string, id: string, is: Resolution, note: string | null, by?: Access) =>
      resolveAttempt(deps, projectId, id, is, note, by && deciderOf(by)),
    fetchResult: (by: Access, attemptId: string) => fetchResult(deps, by, attemptId),
    adjustCost: (by: Access, attemptId: string, costMicros: number, note: string) =>
      adjustCost(deps, by, attemptId, costMicros, note),
    resolveAttempts: (by: Access, selection: ReviewSelection, resolution: BulkResolution, note: string) =>
      resolveAttempts(deps, by, selection, resolution, note),
    adjustCosts: (by: Access, lines: readonly CostLine[], note: string) => adjustCosts(deps, by, lines, note),
    ...createBills(deps),
    pauseProvider: (target: PauseTarget, reason: string) => pauseProvider(deps, target, reason),
    resumeProvider: (target: PauseTarget) => resumeProvider(deps, target),
    markDataFolderLost: (id: string) => markDataFolderLost(deps, id),
    /** The only result with the webhook's secret. */
    createWebhook: (projectId: string, input: WebhookInput) => createWebhook(deps, projectId, input),
    updateWebhook: (projectId: string, id: string, change: WebhookChange) =>
      updateWebhook(deps, projectId, id, change),
    deleteWebhook: (projectId: string, id: string) => deleteWebhook(deps, projectId, id),
    sendTestWebhook: (projectId: string, id: string) => sendTestWebhook(deps, projectId, id),
    redeliverWebhook: (projectId: string, deliveryId: string) =>
      redeliverWebhook(deps, projectId, deliveryId),
    /** Signs requests to the callback URLs of tasks. */
    webhookSecret: (projectId: string) => ensureWebhookSecret(deps, projectId),
    createProject: (by: Access, name: string) => createProject(deps, deciderOf(by), name),
    createApiKey: (by: Access, input: KeyInput) => createKey(deps, deciderOf(by), by.projectId, input),
    revokeApiKey: (by: Access, id: string) => revokeApiKey(deps, deciderOf(by), id),
    setBudget: (by: Access, owner: string, period: Period, limitMicros: number | null) =>
      setBudget(deps, deciderOf(by), owner, period, limitMicros),
    serverRetention: deps.retention,
    setRetention: (by: Access, change: RetentionChange) => setRetention(deps, by, change),
    setLimits: (by: Access, owner: string, change: LimitsChange | null) =>
      setLimits(deps, deciderOf(by), owner, change),
    isKnownCallback: (secret: string) => isKnownCallback(deps, secret),
    receiveCallback: (secret: string, body: string) => receiveCallback(deps, secret, body),

    /** Recovers, then works. `restored`: from a backup. */
    async start({ restored = false }: { restored?: boolean } = {}): Promise<void> {
      // One process owns a SQLite database, so every lease in it belongs to a dead one.
      const all = db.dialect === 'sqlite'
      await recordOwnDataFolder(deps, { isStart: true })
      if (restored) await markUnsentUnknown(deps)
      await db.tx(async (q) => {
        await releaseFromFuture(q, tuning.resendGraceMs)
        const lookupMs = Math.max(0, ...tuning.lookupDelaysMs)
        await limitWaits(q, { checkMs: tuning.maxCooldownMs, lookupMs, deliveryMs: maxWaitMs(deps) })
      })
      await clockWatch.areLeasesReliable()
      await recover(all)
      await warnOfStranded(deps)
      await sweep({ isAlone: all })
      if (all) await db.tx((q) => releaseAllDeliveries(q, workerId))
      if (all) await openCalls.abandonOthers()
      claiming = Promise.all([runner, fetcher].map((one) => one.run(stop)))
      delivering = deliverer.run(stopDelivering.signal)
      jobs.push(
        repeat(tuning.heartbeatMs, exit.signal, async () => {
          await db.tx((q) => renewLeases(q, workerId, [...runner.held(), ...fetcher.held()], tuning.leaseMs))
          // SQLite has one process, and so one folder.
          if (!all) await recordOwnDataFolder(deps, { isStart: false })
        }),
        repeat(tuning.reapMs, stop, async () => {
          if (await clockWatch.areLeasesReliable()) await recover(false)
        }),
        repeat(tuning.reapMs, stop, () => reconcile(deps, stop)),
        repeat(tuning.reapMs, stop, createQueueMover(deps, stop)),
        repeat(tuning.reapMs, stop, () => decideUnknownCharges(deps, stop)),
        repeat(REMOVE_ROWS_INTERVAL_MS, stop, () => estimateUnknownCosts(deps, stop)),
        repeat(tuning.reapMs, stop, () => checkLate(deps, signals)),
        repeat(REMOVE_ROWS_INTERVAL_MS, stop, async () => {
          if (await clockWatch.areAgesReliable()) await housekeeping.removeRows(stop)
          await openCalls.removeOld()
        }),
        repeat(openCalls.renewMs, exit.signal, openCalls.renew),
        repeat(UNUSED_FOR_MS, stop, async () => {
          if (!(await clockWatch.areAgesReliable())) return
          await sweep()
          // After a restore, images newer than the backup only look unused.
          if (!restored) await housekeeping.collectFiles(stop)
        }),
      )
    },

    /** Begins a shutdown: `problem` says so, and other processes get what can be handed over. Requests are served. */
    handOver: () => stopClaiming.abort(),
    /** New tasks and subscriptions then throw SHUTTING_DOWN. */
    drain(): void {
      isDraining = true
      stopClaiming.abort()
    },

    /**
     * Waits for paid calls until `deadlineMs` or `forceStop`, then cuts the others, with an unknown outcome.
     */
    async stop(deadlineMs: number, forceStop?: AbortSignal): Promise<{ abortedCalls: number }> {
      this.drain()
      const idle = claiming
        .then(() => Promise.all([runner.idle(), fetcher.idle()]))
        .then(async () => {
          // Only now, so that webhooks report what ended meanwhile.
          stopDelivering.abort()
          await delivering
          await deliverer.idle()
        })
      // Heartbeats continue, so that no other process takes over.
      const stopWaiting = forceStop ? AbortSignal.any([forceStop, exit.signal]) : exit.signal
      await Promise.race([idle, clock.sleep(deadlineMs, stopWaiting)])
      const calls = runner.held().length
      if (calls > 0) log.warn({ calls }, 'calls cut at shutdown; their outcome is unknown')
      abortCalls.abort()
      stopDelivering.abort()
      await Promise.race([idle, clock.sleep(MAX_SETTLE_MS, exit.signal)])
      exit.abort()
      await Promise.all([...jobs, isDeleted()])
      return { abortedCalls: calls }
    },

    /** Why this process cannot take new work, as a sentence. */
    problem: async () => (stop.aborted ? 'shutting down' : readiness.problem()),
    subscriberCount: () => wakeUps.count('task:') + wakeUps.count('feed:'),
  }
}
