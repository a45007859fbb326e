import {
  claimDeliveries,
  failDeliveries,
  findNextDeliveryMs,
  insertTry,
  OUTBOX_KEY,
  releaseDelivery,
} from '../../db/webhooks/deliveries.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { DeliveryRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { closeEndpoint, findEndpoint } from '../../db/webhooks/endpoints.ts'
import type { Deps } from '../deps.ts'
import { repeatClaims } from '../events/wake-ups.ts'
import { ensureWebhookSecret } from './endpoints.ts'
import { signedHeaders } from './signature.ts'
import { nextState, postOnce, type TryResult } from './try.ts'

/** Leaves some to other processes. */
const CLAIM_LIMIT = 50

/** At least once: a crash resends under the same id. `abort` releases running tries. */
export function createDeliverer(deps: Deps, abort: AbortSignal) {
  const { db, wakeUps, log, workerId, delivery: tuning } = deps
  const { pollMs } = deps.tuning
  const running = new Set<Promise<void>>()

  function start(delivery: DeliveryRow): void {
    const run = deliver(deps, delivery, abort)
      .catch((error: unknown) =>
        log.error({ delivery: delivery.id, err: error }, 'webhook try not recorded; it will be repeated'),
      )
      .finally(() => {
        running.delete(run)
        // Its slot may have more.
        wakeUps.wake(OUTBOX_KEY)
      })
    running.add(run)
  }

  /** Milliseconds to wait; 0: more may be due. */
  async function claim(): Promise<number> {
    const { perSlot, leaseMs } = tuning
    const limit = Math.min(CLAIM_LIMIT, tuning.concurrency - running.size)
    if (limit <= 0) return pollMs
    const inMs = await findNextDeliveryMs(db.read)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? pollMs, pollMs)
    const claimed = await db.tx((q) => claimDeliveries(q, { limit, perSlot, leaseMs, owner: workerId }))
    for (const delivery of claimed) start(delivery)
    return claimed.length === limit ? 0 : pollMs
  }

  return {
    run: (stopClaiming: AbortSignal): Promise<void> =>
      repeatClaims(wakeUps.wait(OUTBOX_KEY), claim, stopClaiming, (error) => {
        log.error({ err: error }, 'claiming webhook deliveries failed; retrying')
        return pollMs
      }),

    /** Resolves when no try is running. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

async function deliver(deps: Deps, delivery: DeliveryRow, abort: AbortSignal): Promise<void> {
  const { db, log, metrics } = deps
  const { id } = delivery
  const lease = { owner: deps.workerId, epoch: delivery.leaseEpoch }
  const secret = await findSecret(deps, delivery)
  const result = secret === null ? 'ABORTED' : await post(deps, delivery, secret, abort)
  await db.tx(async (q) => {
    if (result === 'ABORTED') return releaseDelivery(q, id, lease)
    const next = nextState(deps, delivery, result)
    if (!(await insertTry(q, { delivery, lease }, result, next))) return
    q.afterCommit(() => {
      metrics.webhookTries.inc({ result: result.failure?.toLowerCase() ?? 'delivered' })
      if (next.state !== 'PENDING') metrics.deliveriesEnded.inc({ state: next.state.toLowerCase() })
    })
    if (next.state !== 'FAILED') return
    log.warn({ delivery: id, ...result }, 'webhook delivery failed')
    if (result.failure === 'GONE') await disable(q, deps, delivery)
  })
}

/** Null: deleted meanwhile. */
async function findSecret(
  deps: Pick<Deps, 'db'>,
  { endpointId, projectId }: DeliveryRow,
): Promise<string | null> {
  if (endpointId === null) return ensureWebhookSecret(deps, projectId)
  return (await findEndpoint(deps.db.read, projectId, endpointId))?.secret ?? null
}

/** In the task's trace. */
async function post(
  deps: Deps,
  { id, taskId, event, tries, url, payload: body }: DeliveryRow,
  secret: string,
  abort: AbortSignal,
): Promise<TryResult | 'ABORTED'> {
  // For the trace only.
  const isTraced = deps.tracing.isEnabled && taskId !== null
  const parent = isTraced ? (await getTask(deps.db.read, taskId)).traceparent : null
  const attributes = {
    ...(taskId !== null && { 'darkroom.task.id': taskId }),
    'darkroom.delivery.id': id,
    'darkroom.delivery.event': event,
    'darkroom.delivery.try': tries + 1,
  }
  return deps.tracing.span('webhook delivery', { kind: 'CLIENT', parent, attributes }, async (span) => {
    const at = deps.clock.now()
    const message = { headers: signedHeaders(secret, { id, at, body }), body }
    const result = await postOnce(deps, url, message, { at, abort })
    if (result === 'ABORTED') span.set({ 'error.type': result })
    else span.set({ 'http.response.status_code': result.httpStatus, 'error.type': result.failure })
    return result
  })
}

/** Standard Webhooks: 410 ends all deliveries. */
async function disable(
  q: Transaction,
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  { endpointId }: DeliveryRow,
): Promise<void> {
  if (endpointId === null) return
  const at = clock.now()
  await closeEndpoint(q, endpointId, { disabledAt: at })
  await failDeliveries(q, endpointId, at)
  log.warn({ webhook: endpointId }, 'webhook responded with 410; disabled')
}
