import type { Clock } from '../clock.ts'
import type { Gauges } from '../db/maintenance/gauges.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { HttpRoute } from './app.ts'
import { refusal } from './refusal.ts'
import type { Client } from './security/client.ts'
import { hostProblem } from './security/cross-site.ts'

const GAUGES_MAX_AGE_MS = 3000

/** Beyond, gauges are summed. */
const MAX_PROJECTS = 50

/** Serves `GET /metrics` in Prometheus text format to this machine and the operator's key. */
export function createMetricsRoute(options: {
  metrics: Metrics
  providers: readonly string[]
  readGauges: () => Promise<Gauges>
  isOperator: (request: Request) => Promise<boolean>
  publicUrl: string | null
  clock: Clock
  log: Logger
}): HttpRoute {
  const { metrics, clock, log } = options
  const { gauges } = metrics
  let refreshing: Promise<void> | undefined
  let refreshedAt = -Infinity

  async function refresh(): Promise<void> {
    const end = gauges.readSeconds.startTimer()
    try {
      setGauges(gauges, options.providers, await options.readGauges())
      gauges.up.set(1)
    } catch (error) {
      // Process metrics stay available without a database.
      gauges.up.set(0)
      log.warn({ err: error }, 'reading the database gauges failed')
    }
    end()
    refreshedAt = clock.monotonic()
  }

  return async (request, client) => {
    if (new URL(request.url).pathname !== '/metrics') return undefined
    if (request.method !== 'GET') return refusal('METHOD_NOT_ALLOWED', 'Use GET.', { allow: 'GET' })
    // Requires a key: without keys, every caller is the operator.
    const isOperator = request.headers.has('authorization') && options.isOperator(request)
    if (!isLocal(request, client(), options.publicUrl) && !(await isOperator))
      return refusal('FORBIDDEN', "Metrics need a request from this machine or the operator's key.")
    if (clock.monotonic() - refreshedAt >= GAUGES_MAX_AGE_MS)
      await (refreshing ??= refresh().finally(() => {
        refreshing = undefined
      }))
    const headers = { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' }
    return new Response(await metrics.registry.metrics(), { headers })
  }
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/

/** False for requests through a local proxy and for pages that use DNS rebinding. */
function isLocal({ headers }: Request, { address, origin }: Client, publicUrl: string | null): boolean {
  const isForwarded = ['forwarded', 'x-forwarded-for', 'via'].some((name) => headers.has(name))
  return !isForwarded && LOOPBACK.test(address ?? '') && hostProblem(origin, publicUrl) === undefined
}

function setGauges(gauges: Metrics['gauges'], providers: readonly string[], read: Gauges): void {
  const { queued, running, queueAge, unknown, unknownAge, unpriced, held, spent, unavailable } = gauges
  for (const gauge of [queued, running, queueAge, unknown, unknownAge, unpriced]) {
    gauge.reset()
    // Idle providers report 0.
    for (const provider of providers) gauge.set({ provider }, 0)
  }
  for (const gauge of [held, spent, unavailable]) gauge.reset()
  for (const status of ['queued', 'running', 'outcome_unknown']) gauges.tasks.set({ status }, 0)
  for (const { status, count } of read.tasks) gauges.tasks.set({ status: status.toLowerCase() }, count)
  for (const { provider, ...queue } of read.queues) {
    queued.set({ provider }, queue.queued)
    running.set({ provider }, queue.running)
    queueAge.set({ provider }, queue.oldestDueMs / 1000)
  }
  for (const { provider, ...outcomes } of read.unknownOutcomes) {
    unknown.set({ provider }, outcomes.count)
    unknownAge.set({ provider }, outcomes.oldestMs / 1000)
    unpriced.set({ provider }, outcomes.unpriced)
  }
  gauges.chargePossible.set(
    read.unknownOutcomes.reduce((sum, { chargePossibleMicros }) => sum + chargePossibleMicros, 0),
  )
  for (const { provider, model } of read.inCooldown) unavailable.set({ provider, model }, 1)
  gauges.deliveries.set(read.deliveries.pending)
  gauges.deliveryAge.set(read.deliveries.oldestMs / 1000)
  for (const { projectId, heldMicros, spentMicros } of read.spending) {
    const project = read.spending.length > MAX_PROJECTS ? '' : projectId
    held.inc({ project }, heldMicros)
    spent.inc({ project }, spentMicros)
  }
}
