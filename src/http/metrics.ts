import type { Clock } from '../clock.ts'
import type { Gauges } from '../db/maintenance/gauges.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Client } from './security/client.ts'
import { hostProblem } from './security/cross-site.ts'
import { refusal } from './refusal.ts'

/** Several scrapers at once, or an impatient one, read the database once. */
const KEPT_MS = 3000

/** With more of them, a line for each would be too many for whoever stores it. */
const MOST_PROJECTS = 50

interface MetricsOptions {
  metrics: Metrics
  /** The names of the configured providers: each has its lines, also while they are 0. */
  providers: readonly string[]
  read: () => Promise<Gauges>
  /** Whether a request comes from whoever runs this deployment. */
  isOperator: (request: Request, client: Client) => Promise<boolean>
  /** Where clients reach the server; null when nobody said. */
  publicUrl: string | null
  clock: Clock
  log: Logger
}

export type MetricsRoute = (request: Request, client: Client) => Promise<Response>

/** `GET /metrics`, in Prometheus' text format, for this machine and for the operator's key. */
export function createMetricsRoute(options: MetricsOptions): MetricsRoute {
  const { metrics, clock, log } = options
  let reading: Promise<void> | undefined
  let readAt = -Infinity

  async function refresh(): Promise<void> {
    const end = metrics.standing.readSeconds.startTimer()
    try {
      show(options, await options.read())
      metrics.standing.up.set(1)
    } catch (error) {
      // What is known of the process itself matters most while the database is away.
      metrics.standing.up.set(0)
      log.warn({ err: error }, 'the gauges about rows cannot be read; the last known are shown')
    }
    end()
    readAt = clock.now()
  }

  return async (request, client) => {
    if (request.method !== 'GET') return refusal('METHOD_NOT_ALLOWED', 'Use GET.', { allow: 'GET' })
    // By a key that is shown: while none is needed, everybody would be the operator.
    const isOperator = request.headers.has('authorization') && options.isOperator(request, client)
    if (!isLocal(request, client, options.publicUrl) && !(await isOperator))
      return refusal('FORBIDDEN', 'Metrics are for this machine and for the key of the operator.')
    if (clock.now() - readAt >= KEPT_MS)
      await (reading ??= refresh().finally(() => {
        reading = undefined
      }))
    const headers = { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' }
    return new Response(await metrics.registry.metrics(), { headers })
  }
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/

/**
 * True for what began on this machine: not for what a proxy on it passes on, and not for a page that was led here under a
 * name of its own.
 */
function isLocal({ headers }: Request, { address, origin }: Client, publicUrl: string | null): boolean {
  const passedOn = ['forwarded', 'x-forwarded-for', 'via'].some((name) => headers.has(name))
  return !passedOn && LOOPBACK.test(address ?? '') && hostProblem(origin, publicUrl) === undefined
}

function show({ metrics: { standing }, providers }: MetricsOptions, gauges: Gauges): void {
  const everywhere = [standing.queued, standing.running, standing.queueAge]
  for (const gauge of [...everywhere, standing.unknown, standing.unknownAge, standing.unpriced]) {
    gauge.reset()
    for (const provider of providers) gauge.set({ provider }, 0)
  }
  for (const status of ['QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN'])
    standing.tasks.set({ status: status.toLowerCase() }, 0)
  for (const { status, count } of gauges.tasks) standing.tasks.set({ status: status.toLowerCase() }, count)
  for (const { provider, queued, running, oldestDueMs } of gauges.queues) {
    standing.queued.set({ provider }, queued)
    standing.running.set({ provider }, running)
    standing.queueAge.set({ provider }, oldestDueMs / 1000)
  }
  for (const { provider, count, oldestMs, unpriced } of gauges.unknownOutcomes) {
    standing.unknown.set({ provider }, count)
    standing.unknownAge.set({ provider }, oldestMs / 1000)
    standing.unpriced.set({ provider }, unpriced)
  }
  standing.chargePossible.set(
    gauges.unknownOutcomes.reduce((sum, { chargePossibleMicros }) => sum + chargePossibleMicros, 0),
  )
  standing.resting.reset()
  for (const { provider, model } of gauges.inCooldown) standing.resting.set({ provider, model }, 1)
  standing.deliveries.set(gauges.deliveries.pending)
  standing.deliveryAge.set(gauges.deliveries.oldestMs / 1000)
  showMoney(standing, gauges)
}

function showMoney({ held, spent }: Metrics['standing'], { spending }: Gauges): void {
  held.reset()
  spent.reset()
  const isMany = spending.length > MOST_PROJECTS
  for (const { projectId, heldMicros, spentMicros } of spending) {
    const project = isMany ? '' : projectId
    held.inc({ project }, heldMicros)
    spent.inc({ project }, spentMicros)
  }
}
