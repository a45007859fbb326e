import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { createClock } from '../../../src/clock.ts'
import { z } from 'zod'
import {
  findDelivery,
  listDeliveries,
  listDeliveriesOfTasks,
  listTries,
} from '../../../src/db/webhooks/deliveries.ts'
import { DEFAULT_PROJECT } from '../../../src/db/access/projects.ts'
import type { DeliveryRow } from '../../../src/db/tables/tables.ts'
import { findEndpoint } from '../../../src/db/webhooks/endpoints.ts'
import { DELIVERY_TUNING } from '../../../src/engine/webhooks/delivery-tuning.ts'
import { nextState } from '../../../src/engine/webhooks/try.ts'
import { DATABASES, newPlace, type DatabaseKind } from '../../support/database.ts'
import { openEngine, type TestEngine, type TestEngineOptions } from '../../support/engine.ts'
import { ANY_ADDRESS, openReceiver, statuses } from '../../support/receiver.ts'
import { done, failure, REPORTED, scripted } from '../../support/scripted.ts'
import { ANONYMOUS } from '../../support/plain-input.ts'

const PAYLOAD = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ taskId: z.string() }),
})
const HOUR = 3_600_000

/** Ten tries without a delay, and a short timeout. */
const EAGER = { waitsMs: DELIVERY_TUNING.waitsMs.map(() => 0), timeoutMs: 300 }

function open(database: DatabaseKind, more: Partial<TestEngineOptions> = {}): Promise<TestEngine> {
  return openEngine({
    database,
    providers: [scripted((sent) => done(sent, REPORTED))],
    webhookRule: ANY_ADDRESS,
    delivery: EAGER,
    tuning: { pollMs: 20 },
    ...more,
  })
}

const register = (gateway: TestEngine, url: string) =>
  gateway.engine.createWebhook(DEFAULT_PROJECT, { url, events: null, description: null })

const deliveries = (gateway: TestEngine) =>
  listDeliveries(gateway.db.read, DEFAULT_PROJECT, {}, { limit: 100 })

/** Waits until `count` deliveries have ended and none is pending. Returns them oldest first, with their tries. */
async function ended(gateway: TestEngine, count = 1) {
  const states = async () => (await deliveries(gateway)).map(({ state }) => state)
  const settled = async () => {
    const all = await states()
    return all.length >= count && !all.includes('PENDING')
  }
  await expect.poll(settled, { interval: 10 }).toBe(true)
  return Promise.all((await deliveries(gateway)).toReversed().map((row) => withTries(gateway, row)))
}

async function withTries(gateway: TestEngine, row: DeliveryRow) {
  const tries = await listTries(gateway.db.read, [row.id])
  return { ...row, tries: tries.map(({ number, httpStatus, failure: why }) => [number, httpStatus, why]) }
}

describe.each(DATABASES)('a webhook on %s', (database) => {
  it('receives the end of a task once, signed by Standard Webhooks, with links and no bytes', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open(database)
    const { id: webhook, secret } = await register(gateway, `${receiver.url}/hook`)
    const task = await gateway.create({ prompt: 'a brass kettle' })
    const [request] = await receiver.received(1)
    const [delivery] = await ended(gateway)

    expect(new Webhook(secret ?? '').verify(request!.body, request!.headers)).toEqual({
      type: 'task.succeeded',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: {
        taskId: task.id,
        status: 'SUCCEEDED',
        images: [
          {
            id: expect.stringMatching(/^img_/),
            url: expect.stringMatching(/^\/assets\/img_\w+\.png$/),
            width: 64,
            height: 48,
            mimeType: 'image/png',
          },
        ],
        usage: {
          inputTokens: 10,
          outputTokens: 100,
          totalTokens: 110,
          inputTokensDetails: { textTokens: 10, imageTokens: 0 },
          outputTokensDetails: { textTokens: 0, imageTokens: 100 },
          source: 'REPORTED',
        },
        costMicros: expect.toSatisfy((cost) => cost === null || Number.isInteger(cost)),
        charged: 'YES',
        error: null,
      },
    })
    expect(request!.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': delivery!.id })
    expect(request!.body.length).toBeLessThan(1000)
    expect(delivery).toMatchObject({ endpointId: webhook, state: 'SUCCEEDED', tries: [[1, 204, null]] })
    expect(receiver.requests).toHaveLength(1)
    const { id, projectId } = delivery!
    expect(await findDelivery(gateway.db.read, 'prj_other', id)).toBeUndefined()
    expect(await findDelivery(gateway.db.read, projectId, id)).toBeDefined()
  })

  it('is retried after a 500 under the same id, with a new signature each time', async () => {
    await using receiver = await openReceiver(statuses(500, 500, 500, 200))
    await using gateway = await open(database)
    const { secret } = await register(gateway, receiver.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    expect(delivery).toMatchObject({
      state: 'SUCCEEDED',
      tries: [
        [1, 500, 'REFUSED'],
        [2, 500, 'REFUSED'],
        [3, 500, 'REFUSED'],
        [4, 200, null],
      ],
    })
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([delivery!.id]),
    )
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1)
    for (const { body, headers } of receiver.requests) new Webhook(secret ?? '').verify(body, headers)
  })

  it('fails when it redirects, and the redirect is not followed', async () => {
    await using target = await openReceiver()
    await using receiver = await openReceiver((reply) => reply.writeHead(301, { location: target.url }).end())
    await using gateway = await open(database)
    await register(gateway, receiver.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    expect(delivery).toMatchObject({ state: 'FAILED' })
    expect(delivery!.tries).toEqual(Array.from({ length: 10 }, (_, i) => [i + 1, 301, 'REDIRECTED']))
    expect(target.requests).toEqual([])
  })

  it('is disabled after a 410, with no more deliveries', async () => {
    await using receiver = await openReceiver(statuses(410))
    await using gateway = await open(database)
    const { id } = await register(gateway, receiver.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    expect(delivery).toMatchObject({ state: 'FAILED', tries: [[1, 410, 'GONE']] })
    const endpoint = await findEndpoint(gateway.db.read, DEFAULT_PROJECT, id)
    expect(endpoint).toMatchObject({ disabledAt: expect.any(Number), deletedAt: null })
    const { id: second } = await gateway.create()
    await gateway.reached(second, 'SUCCEEDED')
    expect(await listDeliveriesOfTasks(gateway.db.read, [second])).toEqual([])
    await expect(gateway.engine.redeliverWebhook(DEFAULT_PROJECT, delivery!.id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('is disabled'),
    })
  })

  it('that hangs delays no other receiver, and takes two delivery slots at most', async () => {
    await using hanging = await openReceiver(() => {})
    await using receiver = await openReceiver()
    await using gateway = await open(database, {
      delivery: { ...EAGER, timeoutMs: HOUR },
      providers: [scripted((sent) => done(sent), { concurrency: 20 })],
    })
    await register(gateway, hanging.url)
    await register(gateway, receiver.url)
    for (let i = 0; i < 3; i++) await gateway.create()
    await receiver.received(3)
    await hanging.received(2)
    expect(hanging.requests).toHaveLength(2)
  })

  it('that hangs fails after the timeout of each try', async () => {
    await using hanging = await openReceiver(() => {})
    await using gateway = await open(database, { delivery: { ...EAGER, waitsMs: [0, 0] } })
    await register(gateway, hanging.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    expect(delivery).toMatchObject({ state: 'FAILED' })
    expect(delivery!.tries).toEqual([
      [1, null, 'TIMED_OUT'],
      [2, null, 'TIMED_OUT'],
    ])
  })

  it('on a private address is refused, at registration and when its name resolves to one later', async () => {
    await using receiver = await openReceiver()
    await using strict = await open(database, { webhookRule: { ...ANY_ADDRESS, isPublic: () => false } })
    await expect(register(strict, receiver.url)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'url',
      message: 'The url must be on a public host.',
    })
    await using gateway = await open(database, {
      // As if the name was public when it was checked.
      wrap: (deps) => ({ ...deps, poster: strict.deps.poster }),
    })
    await register(gateway, receiver.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    expect(delivery).toMatchObject({ state: 'FAILED' })
    expect(delivery!.tries.at(-1)).toEqual([10, null, 'ADDRESS_FORBIDDEN'])
    expect(receiver.requests).toEqual([])
  })

  it('receives failed and canceled tasks and unknown outcomes, if subscribed', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open(database, {
      providers: [
        scripted(({ order, call }, nth) =>
          order.prompt.includes('lost') && nth === 1
            ? Promise.reject(failure('lost'))
            : order.prompt.includes('bad')
              ? Promise.reject(failure('rejected'))
              : done({ order, call }),
        ),
      ],
    })
    const events = ['TASK_FAILED' as const, 'TASK_OUTCOME_UNKNOWN' as const]
    const { url } = receiver
    await gateway.engine.createWebhook(DEFAULT_PROJECT, { url: `${url}/some`, events, description: null })
    await register(gateway, `${url}/all`)
    const lost = await gateway.create({ prompt: 'a lost fox' })
    await gateway.reached(lost.id, 'OUTCOME_UNKNOWN')
    await gateway.engine.retryTask(ANONYMOUS, lost.id, { acceptPossibleSecondCharge: true })
    await gateway.reached(lost.id, 'SUCCEEDED')
    const bad = await gateway.create({ prompt: 'a bad fox' })
    await gateway.reached(bad.id, 'FAILED')
    await ended(gateway, 5)

    const received = (path: string) =>
      receiver.requests
        .filter((one) => one.path === path)
        .map(({ body }) => PAYLOAD.parse(JSON.parse(body)))
        .map(
          ({ type, data }) =>
            `${data.taskId === lost.id ? 'lost' : 'bad'}: ${type} ${String(data['charged'])}`,
        )
    expect(received('/some').toSorted()).toEqual([
      'bad: task.failed NO',
      'lost: task.outcome_unknown UNKNOWN',
    ])
    expect(received('/all').toSorted()).toEqual([
      'bad: task.failed NO',
      'lost: task.outcome_unknown UNKNOWN',
      'lost: task.succeeded YES',
    ])
  })

  it('receives from the next process what the last one could not deliver', async () => {
    const place = await newPlace(database)
    try {
      await using receiver = await openReceiver()
      const before = await open(database, { place, delivery: { ...EAGER, concurrency: 0 } })
      await register(before, receiver.url)
      const { id } = await before.create()
      await before.reached(id, 'SUCCEEDED')
      await before.close()
      expect(receiver.requests).toEqual([])
      await using after = await open(database, { place })
      await receiver.received(1)
      expect(await ended(after)).toMatchObject([{ taskId: id, state: 'SUCCEEDED' }])
    } finally {
      await place.remove()
    }
  })

  it('receives a redelivery under the same id, but none after it was deleted', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open(database)
    const { id } = await register(gateway, receiver.url)
    await gateway.create()
    const [delivery] = await ended(gateway)
    await gateway.engine.redeliverWebhook(DEFAULT_PROJECT, delivery!.id)
    const [first, second] = await receiver.received(2)
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
    expect(await ended(gateway)).toMatchObject([
      {
        state: 'SUCCEEDED',
        tries: [
          [1, 204, null],
          [2, 204, null],
        ],
      },
    ])

    expect(await gateway.engine.deleteWebhook(DEFAULT_PROJECT, id)).toMatchObject({ secret: null })
    await expect(gateway.engine.redeliverWebhook(DEFAULT_PROJECT, delivery!.id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('was deleted'),
    })
    await gateway.reached((await gateway.create()).id, 'SUCCEEDED')
    expect(await deliveries(gateway)).toHaveLength(1)
  })

  it('leaves no pending delivery when it is deleted while it hangs', async () => {
    await using hanging = await openReceiver(() => {})
    await using gateway = await open(database, { delivery: { ...EAGER, timeoutMs: 1000 } })
    const { id } = await register(gateway, hanging.url)
    await gateway.create()
    await hanging.received(1)
    await gateway.engine.deleteWebhook(DEFAULT_PROJECT, id)
    expect(await ended(gateway)).toMatchObject([{ state: 'FAILED', tries: [] }])
  })
})

describe('two processes on one PostgreSQL', () => {
  it('deliver everything once together, with at most two concurrent requests to one receiver', async () => {
    const place = await newPlace('postgresql')
    try {
      let concurrent = 0
      let maxConcurrent = 0
      await using receiver = await openReceiver((reply) => {
        maxConcurrent = Math.max(maxConcurrent, ++concurrent)
        setImmediate(() => {
          concurrent--
          reply.writeHead(204).end()
        })
      })
      const fast = { place, providers: [scripted((sent) => done(sent), { concurrency: 10 })] }
      await using first = await open('postgresql', fast)
      await using second = await open('postgresql', fast)
      await register(first, receiver.url)
      await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? first : second).create({ prompt: `fox ${i}` })),
      )
      const all = await ended(second, 40)
      expect(all.map(({ tries }) => tries.length)).toEqual(all.map(() => 1))
      expect(receiver.requests).toHaveLength(40)
      expect(new Set(all.map(({ leaseEpoch }) => leaseEpoch))).toEqual(new Set([1]))
      expect(maxConcurrent).toBeLessThanOrEqual(2)
    } finally {
      await place.remove()
    }
  })
})

const at = { clock: createClock({ now: () => 7, monotonic: () => 7 }), delivery: DELIVERY_TUNING }
const refused = {
  at: 0,
  durationMs: 1,
  httpStatus: 503,
  failure: 'REFUSED' as const,
  retryAfterMs: undefined,
}
const waits = (random: number) =>
  Array.from({ length: 10 }, (_, step) => nextState({ ...at, random: () => random }, { step }, refused))

describe('the retry schedule', () => {
  it('follows Standard Webhooks with up to a fifth of jitter, and ends after ten tries', () => {
    const MINUTE = 60_000
    const expected = [5000, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)]
    expect(waits(0)).toEqual([
      ...expected.map((waitMs) => ({ state: 'PENDING', waitMs })),
      { state: 'FAILED', at: 7 },
    ])
    expect(waits(1).slice(0, 9)).toEqual(
      expected.map((waitMs) => ({ state: 'PENDING', waitMs: waitMs * 1.2 })),
    )
  })

  it.each([
    { requestedMs: 90_000, waitMs: 90_000 },
    { requestedMs: 1000, waitMs: 5000 },
    { requestedMs: 99 * HOUR, waitMs: 24 * HOUR },
  ])('waits $waitMs ms when a receiver requests $requestedMs ms', ({ requestedMs, waitMs }) => {
    const tried = { ...refused, retryAfterMs: requestedMs }
    expect(nextState({ ...at, random: () => 0 }, { step: 0 }, tried)).toEqual({ state: 'PENDING', waitMs })
  })
})
