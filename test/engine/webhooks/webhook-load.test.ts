import { describe, expect, it } from 'vitest'
import { insertDelivery, listDeliveriesOfTasks } from '../../../src/db/webhooks/deliveries.ts'
import { DEFAULT_PROJECT } from '../../../src/db/access/projects.ts'
import { newId } from '../../../src/ids.ts'
import { DATABASES } from '../../support/database.ts'
import { openEngine, type TestEngine } from '../../support/engine.ts'
import { ANY_ADDRESS, ok, openReceiver } from '../../support/receiver.ts'
import { done, scripted } from '../../support/scripted.ts'

const DELIVERIES_EACH = 20
const [HANGING, FAILING, HEALTHY] = [3, 3, 14]
const ENDPOINTS = HANGING + FAILING + HEALTHY
/** No try times out during the test: a hanging receiver keeps its delivery slots to the end. */
const HOUR_MS = 3_600_000
const PER_SLOT = 2
/** Fewer than the deliveries that wait for one hanging receiver. */
const CONCURRENCY = 20

const isHanging = (number: number) => number < HANGING
const isFailing = (number: number) => !isHanging(number) && number < HANGING + FAILING
const isHealthy = (number: number) => number >= HANGING + FAILING

describe.each(DATABASES)('deliveries on %s', (database) => {
  it('all reach healthy receivers while three in twenty hang and three fail', async () => {
    await using receiver = await openReceiver((response, nth, request) => {
      const number = numberOf(request.path)
      if (isFailing(number)) response.writeHead(500).end()
      if (isHealthy(number)) ok(response, nth, request)
    })
    await using gateway = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      webhookRule: ANY_ADDRESS,
      delivery: { timeoutMs: HOUR_MS, leaseMs: 2 * HOUR_MS, perSlot: PER_SLOT, concurrency: CONCURRENCY },
    })
    const { id: taskId } = await gateway.create()
    await gateway.reached(taskId, 'SUCCEEDED')
    const endpoints: string[] = []
    for (let number = 0; number < ENDPOINTS; number++) {
      const input = { url: `${receiver.url}/${number}`, events: null, description: null }
      endpoints.push((await gateway.engine.createWebhook(DEFAULT_PROJECT, input)).id)
    }
    // The hanging ones are the oldest: a queue in order of arrival would never reach the others.
    for (const [number, endpointId] of endpoints.entries())
      await insertAll(gateway, { taskId, endpointId, url: `${receiver.url}/${number}` })

    const requestsTo = (isOne: (number: number) => boolean) =>
      receiver.requests.filter(({ path }) => isOne(numberOf(path)))
    await expect.poll(() => requestsTo(isHealthy).length, { interval: 50 }).toBe(HEALTHY * DELIVERIES_EACH)
    const ids = requestsTo(isHealthy).map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(HEALTHY * DELIVERIES_EACH)

    expect(requestsTo(isHanging)).toHaveLength(HANGING * PER_SLOT)
    const rows = await listDeliveriesOfTasks(gateway.db.read, [taskId])
    const statesOf = (isOne: (number: number) => boolean) =>
      new Set(rows.filter(({ url }) => isOne(numberOf(new URL(url).pathname))).map(({ state }) => state))
    expect(statesOf(isHanging)).toEqual(new Set(['PENDING']))
    expect(statesOf(isFailing)).toEqual(new Set(['PENDING']))
  })
})

function numberOf(path: string): number {
  return Number(path.slice(1))
}

async function insertAll(
  gateway: TestEngine,
  to: { taskId: string; endpointId: string; url: string },
): Promise<void> {
  await gateway.db.tx(async (q) => {
    for (let seq = 0; seq < DELIVERIES_EACH; seq++) {
      const about = { projectId: DEFAULT_PROJECT, event: 'TASK_SUCCEEDED' as const, seq, payload: '{}' }
      const id = newId('dlv', Date.now())
      await insertDelivery(q, { ...about, ...to, slot: to.endpointId, id, createdAt: Date.now() })
    }
  })
}
