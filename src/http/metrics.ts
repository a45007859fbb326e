import type { Clock } from '../clock.ts'
import type { Gauges } from '../db/maintenance/gauges.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Route } from './app.ts'
import { refusal } from './refusal.ts'
import type { Client } from './security/client.ts'
import { hostProblem } from './security/cross-site.ts'

/** Several scrapers cause one read of the database. */
const GAUGES_MAX_AGE_MS = 3000

/** With more projects, their gauges are summed to limit the number of time series. */
const MAX_PROJECTS = 50

interface MetricsOptions {
  metrics: Metrics
  /** All configured providers, so that idle ones report 0. */
  providers: readonly string[]
  readGauges: () => Promise<Gauges>
  isOperator: (request: Request) => Promise<boolean>
  publicUrl: string | null
  clock: Clock
  log: Logger
}

/** Serves `GET /metrics` in Prometheus text format to this machine and to the operator's key. */
export function createMetricsRoute(options: MetricsOptions): Route {
  const { metrics, clock, log } = options
  const { gauges } = metrics
  let refreshing: Promise<void> | undefined
  let refreshedAt = -Infinity

  async function refresh(): Promise<void> {
    const end = gauges.readSeconds.startTimer()
    try {
      setGauges(options, await options.readGauges())
      gauges.up.set(1)
    } catch (error) {
      // The metrics of the process itself stay available while the database is down.
      gauges.up.set(0)
      log.warn({ err: error }, 'reading the database gauges failed')
    }
    end()
    refreshedAt = clock.now()
  }

  return async (request, client) => {
    if (new URL(request.url).pathname !== '/metrics') return undefined
    if (request.method !== 'GET') return refusal('METHOD_NOT_ALLOWED', 'Use GET.', { allow: 'GET' })
    // Requires a key: as long as none exists, every caller is the operator.
    const isOperator = request.headers.has('authorization') && options.isOperator(request)
    if (!isLocal(request, client(), options.publicUrl) && !(await isOperator))
      return refusal('FORBIDDEN', "Metrics need a request from this machine or the operator's key.")
    if (clock.now() - refreshedAt >= GAUGES_MAX_AGE_MS)
      await (refreshing ??= refresh().finally(() => {
        refreshing = undefined
      }))
    const headers = { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' }
    return new Response(await metrics.registry.metrics(), { headers })
  }
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/

/** False for requests through a proxy on this machine and for pages that use DNS rebinding. */
function isLocal({ headers }: Request, { address, origin }: Client, publicUrl: string | null): boolean {
  const isForwarded = ['forwarded', 'x-forwarded-for', 'via'].some((name) => headers.has(name))
  return !isForwarded && LOOPBACK.test(address ?? '') && hostProblem(origin, publicUrl) === undefined
}

function setGauges({ metrics: { gauges }, providers }: MetricsOptions, read: Gauges): void {
  const byProvider = [gauges.queued, gauges.running, gauges.queueAge]
  for (const gauge of [...byProvider, gauges.unknown, gauges.unknownAge, gauges.unpriced]) {
    gauge.reset()
    for (const provider of providers) gauge.set({ provider }, 0)
  }
  for (const status of ['queued', 'running', 'outcome_unknown']) gauges.tasks.set({ status }, 0)
  for (const { status, count } of read.tasks) gauges.tasks.set({ status: status.toLowerCase() }, count)
  for (const { provider, queued, running, oldestDueMs } of read.queues) {
    gauges.queued.set({ provider }, queued)
    gauges.running.set({ provider }, running)
    gauges.queueAge.set({ provider }, oldestDueMs / 1000)
  }
  for (const { provider, count, oldestMs, unpriced } of read.unknownOutcomes) {
    gauges.unknown.set({ provider }, count)
    gauges.unknownAge.set({ provider }, oldestMs / 1000)
    gauges.unpriced.set({ provider }, unpriced)
  }
  gauges.chargePossible.set(
    read.unknownOutcomes.reduce((sum, { chargePossibleMicros }) => sum + chargePossibleMicros, 0),
  )
  gauges.unavailable.reset()
  for (const { provider, model } of read.inCooldown) gauges.unavailable.set({ provider, model }, 1)
  gauges.deliveries.set(read.deliveries.pending)
  gauges.deliveryAge.set(read.deliveries.oldestMs / 1000)
  gauges.held.reset()
  gauges.spent.reset()
  for (const { projectId, heldMicros, spentMicros } of read.spending) {
    const project = read.spending.length > MAX_PROJECTS ? '' : projectId
    gauges.held.inc({ project }, heldMicros)
    gauges.spent.inc({ project }, spentMicros)
  }
}
