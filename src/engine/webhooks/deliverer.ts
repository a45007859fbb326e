// The way out of the outbox: claim what is due, post it, write down what came of it.
import {
  claimDeliveries,
  failDeliveries,
  findNextDeliveryMs,
  OUTBOX_KEY,
  recordTry,
  releaseDelivery,
} from '../../db/webhooks/deliveries.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { DeliveryRow } from '../../db/tables/tables.ts'
import { closeEndpoint, findEndpoint } from '../../db/webhooks/endpoints.ts'
import type { Deps } from '../deps.ts'
import { findOrMakeSecret } from './endpoints.ts'
import { signedHeaders } from './signature.ts'
import { countTry, instrumentedPost } from './instrumented-delivery.ts'
import { afterTry, tryToPost, type TryDeps, type Tried } from './try.ts'

type DeliverDeps = TryDeps & Pick<Deps, 'db' | 'log' | 'metrics' | 'random' | 'tracing' | 'workerId'>
export type DelivererDeps = DeliverDeps & Pick<Deps, 'tuning' | 'wakeUps'>

export interface Deliverer {
  /** Delivers until `stopClaiming` aborts. Resolves when it claims no more. */
  run(stopClaiming: AbortSignal): Promise<void>
  /** Resolves when no try is under way. */
  idle(): Promise<void>
}

/**
 * Delivers at least once. What was sent when the process died is sent again by whoever claims it next, under the same
 * id. Tries that are under way when `cut` aborts are given back as if they had not been.
 */
export function createDeliverer(deps: DelivererDeps, cut: AbortSignal): Deliverer {
  const { db, wakeUps, log, workerId, delivery: patience, tuning } = deps
  const underWay = new Set<Promise<void>>()

  function start(delivery: DeliveryRow): void {
    const step = deliver(deps, delivery, cut)
      .catch((error: unknown) =>
        log.error(
          { delivery: delivery.id, err: error },
          'a try could not be written down; it will be repeated',
        ),
      )
      .finally(() => {
        underWay.delete(step)
        // A try that ends makes room in its lane, which is a reason to look again.
        wakeUps.wake(OUTBOX_KEY)
      })
    underWay.add(step)
  }

  /** How long to sleep: 0 when more may be due that there is room for. */
  async function claim(): Promise<number> {
    const { perLane, leaseMs } = patience
    const limit = Math.min(CLAIM_AT_ONCE, patience.atOnce - underWay.size)
    if (limit <= 0) return tuning.pollMs
    const inMs = await findNextDeliveryMs(db.read)
    if (inMs === undefined || inMs > 0) return Math.min(inMs ?? tuning.pollMs, tuning.pollMs)
    const claimed = await db.tx((q) => claimDeliveries(q, { limit, perLane, leaseMs, owner: workerId }))
    for (const delivery of claimed) start(delivery)
    return claimed.length === limit ? 0 : tuning.pollMs
  }

  return {
    async run(stopClaiming) {
      const waiter = wakeUps.wait(OUTBOX_KEY)
      while (!stopClaiming.aborted) {
        const sleepMs = await claim().catch((error: unknown) => {
          log.error({ err: error }, 'cannot claim deliveries; trying again')
          return tuning.pollMs
        })
        if (sleepMs > 0) await waiter.next(sleepMs, stopClaiming)
      }
      waiter.close()
    },

    async idle() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** Keeps a transaction short, and leaves some of what is due to other processes. */
const CLAIM_AT_ONCE = 50

async function deliver(deps: DeliverDeps, delivery: DeliveryRow, cut: AbortSignal): Promise<void> {
  const lease = { owner: deps.workerId, epoch: delivery.leaseEpoch }
  const secret = await secretFor(deps, delivery)
  const tried =
    secret === null ? 'CUT' : await instrumentedPost(deps, delivery, () => post(deps, delivery, secret, cut))
  await deps.db.tx(async (q) => {
    if (tried === 'CUT') return releaseDelivery(q, delivery.id, lease)
    const after = afterTry(deps, delivery, tried)
    if (!(await recordTry(q, { delivery, lease }, tried, after))) return
    q.afterCommit(() => countTry(deps, tried, after))
    if (after.state !== 'FAILED') return
    deps.log.warn({ delivery: delivery.id, ...tried }, 'a delivery was given up')
    if (tried.failure === 'GONE') await disable(q, deps, delivery)
  })
}

/** Null when the webhook was deleted after the claim: its deliveries are given up already. */
async function secretFor(
  deps: Pick<Deps, 'db'>,
  { endpointId, projectId }: DeliveryRow,
): Promise<string | null> {
  if (endpointId === null) return findOrMakeSecret(deps, projectId)
  return (await findEndpoint(deps.db.read, projectId, endpointId))?.secret ?? null
}

function post(
  deps: TryDeps,
  { id, url, payload: body }: DeliveryRow,
  secret: string,
  cut: AbortSignal,
): Promise<Tried | 'CUT'> {
  const at = deps.clock.now()
  return tryToPost(deps, url, { headers: signedHeaders(secret, { id, at, body }), body }, { at, cut })
}

/** By Standard Webhooks, a receiver that answers 410 wants to hear nothing more. */
async function disable(
  q: Transaction,
  deps: Pick<Deps, 'clock' | 'log'>,
  { endpointId }: DeliveryRow,
): Promise<void> {
  if (endpointId === null) return
  const at = deps.clock.now()
  await closeEndpoint(q, endpointId, { disabledAt: at })
  await failDeliveries(q, endpointId, at)
  deps.log.warn({ webhook: endpointId }, 'a webhook answered that it is gone, and is disabled')
}
