// Claims due deliveries, posts them and records the result.
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
import { closeEndpoint, findEndpoint } from '../../db/webhooks/endpoints.ts'
import type { Deps } from '../deps.ts'
import { ensureWebhookSecret } from './endpoints.ts'
import { signedHeaders } from './signature.ts'
import { countTry, instrumentedPost } from './instrumented-delivery.ts'
import { nextState, postOnce, type TryDeps, type TryResult } from './try.ts'

type DeliverDeps = TryDeps & Pick<Deps, 'db' | 'log' | 'metrics' | 'random' | 'tracing' | 'workerId'>
export type DelivererDeps = DeliverDeps & Pick<Deps, 'tuning' | 'wakeUps'>

export interface Deliverer {
  /** Delivers until `stopClaiming` aborts. Resolves when it claims no more. */
  run(stopClaiming: AbortSignal): Promise<void>
  /** Resolves when no try is running. */
  idle(): Promise<void>
}

/** Keeps a transaction short, and leaves due deliveries to other processes. */
const CLAIM_LIMIT = 50

/**
 * Delivers at least once: a delivery that was being sent when its process died is sent again under the same id. Tries
 * that are running when `abort` fires are released as if they had not begun.
 */
export function createDeliverer(deps: DelivererDeps, abort: AbortSignal): Deliverer {
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
        // Its slot may have another due delivery.
        wakeUps.wake(OUTBOX_KEY)
      })
    running.add(run)
  }

  /** Returns the time to wait until the next claim; 0 when more may be due. */
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
    async run(stopClaiming) {
      const waiter = wakeUps.wait(OUTBOX_KEY)
      while (!stopClaiming.aborted) {
        const waitMs = await claim().catch((error: unknown) => {
          log.error({ err: error }, 'claiming webhook deliveries failed; retrying')
          return pollMs
        })
        if (waitMs > 0) await waiter.next(waitMs, stopClaiming)
      }
      waiter.close()
    },

    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

async function deliver(deps: DeliverDeps, delivery: DeliveryRow, abort: AbortSignal): Promise<void> {
  const lease = { owner: deps.workerId, epoch: delivery.leaseEpoch }
  const secret = await findSecret(deps, delivery)
  const result =
    secret === null
      ? 'ABORTED'
      : await instrumentedPost(deps, delivery, () => post(deps, delivery, secret, abort))
  await deps.db.tx(async (q) => {
    if (result === 'ABORTED') return releaseDelivery(q, delivery.id, lease)
    const next = nextState(deps, delivery, result)
    if (!(await insertTry(q, { delivery, lease }, result, next))) return
    q.afterCommit(() => countTry(deps, result, next))
    if (next.state !== 'FAILED') return
    deps.log.warn({ delivery: delivery.id, ...result }, 'webhook delivery failed')
    if (result.failure === 'GONE') await disable(q, deps, delivery)
  })
}

/** Null when the webhook was deleted after the claim, which failed its deliveries. */
async function findSecret(
  deps: Pick<Deps, 'db'>,
  { endpointId, projectId }: DeliveryRow,
): Promise<string | null> {
  if (endpointId === null) return ensureWebhookSecret(deps, projectId)
  return (await findEndpoint(deps.db.read, projectId, endpointId))?.secret ?? null
}

function post(
  deps: TryDeps,
  { id, url, payload: body }: DeliveryRow,
  secret: string,
  abort: AbortSignal,
): Promise<TryResult | 'ABORTED'> {
  const at = deps.clock.now()
  return postOnce(deps, url, { headers: signedHeaders(secret, { id, at, body }), body }, { at, abort })
}

/** By Standard Webhooks, a receiver that responds with 410 must get no further deliveries. */
async function disable(
  q: Transaction,
  deps: Pick<Deps, 'clock' | 'log'>,
  { endpointId }: DeliveryRow,
): Promise<void> {
  if (endpointId === null) return
  const at = deps.clock.now()
  await closeEndpoint(q, endpointId, { disabledAt: at })
  await failDeliveries(q, endpointId, at)
  deps.log.warn({ webhook: endpointId }, 'webhook responded with 410; disabled')
}
