// Cooldowns use the database's clock, so a test expires one by updating its row.
import { describe, expect, it } from 'vitest'
import { ALL_MODELS, listCooldowns, putCooldown, removeCooldown } from '../../src/db/providers/cooldowns.ts'
import type { Failure } from '../../src/providers/error.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

const healthy = (name: string) => scripted((sent) => done(sent), { name })
const failing = (name: string, kind: Failure['kind'], more: Partial<Failure> = {}) =>
  scripted(() => Promise.reject(failure(kind, more)), { name })

/** The cooldowns, with the duration of each: engine and database share one machine's clock. */
async function readCooldowns({ db }: TestEngine) {
  const rows = await listCooldowns(db.read)
  return rows.map(({ provider, model, until, since, inCooldown }) => ({
    provider,
    model,
    inCooldown,
    seconds: until === null ? null : Math.round((until - since) / 1000),
  }))
}

async function expireCooldowns({ db }: TestEngine): Promise<void> {
  await db.tx((q) => q.sql.update(q.tables.cooldowns).set({ until: 1 }))
}

async function waitForCooldowns(one: TestEngine, count: number): Promise<void> {
  await expect.poll(() => readCooldowns(one)).toHaveLength(count)
}

/** Waits until exactly one of these tasks is RUNNING. */
async function waitForOneRunning(one: TestEngine, tasks: { id: string }[]): Promise<void> {
  const statuses = () => Promise.all(tasks.map(async ({ id }) => (await one.task(id)).status))
  const others = tasks.slice(1).map(() => 'QUEUED')
  await expect.poll(async () => (await statuses()).toSorted()).toEqual([...others, 'RUNNING'])
}

describe.each(DATABASES)('a failing provider on %s', (database) => {
  it.each<[what: string, kind: Failure['kind'], more: Partial<Failure>]>([
    ['refuses the account', 'refused', {}],
    ['is busy', 'busy', {}],
    ['cannot be reached', 'unreached', {}],
    ['fails certainly uncharged', 'broken', { charged: 'NO' }],
  ])('hands the task to another provider when it %s', async (_, kind, more) => {
    const first = failing('first', kind, more)
    const second = healthy('second')
    await using one = await openEngine({ database, providers: [first, second] })
    const { id } = await one.create()
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1, error: null })
    const attempts = await one.attempts(id)
    expect(attempts.map(({ provider, charged }) => [provider, charged])).toEqual([
      ['first', 'NO'],
      ['second', 'YES'],
    ])
  })

  it.each<
    [what: string, kind: Failure['kind'], status: 'FAILED' | 'OUTCOME_UNKNOWN', more: Partial<Failure>]
  >([
    ['broken and possibly charged', 'broken', 'FAILED', {}],
    ['broken and charged', 'broken', 'FAILED', { charged: 'YES' }],
    ['lost', 'lost', 'OUTCOME_UNKNOWN', {}],
    ['rejected because of the request', 'rejected', 'FAILED', {}],
  ])('keeps the task when its attempt was %s', async (_, kind, status, more) => {
    const second = healthy('second')
    await using one = await openEngine({ database, providers: [failing('first', kind, more), second] })
    const { id } = await one.create()
    await one.reached(id, status)
    expect(await one.attempts(id)).toHaveLength(1)
    expect(second.sent).toEqual([])
  })

  it.each([
    ['a hundred years', 3_153_600_000_000],
    ['more milliseconds than a column holds', 1e25],
  ])('enters a cooldown of five minutes when it asks for a wait of %s', async (_, retryAfterMs) => {
    const first = failing('first', 'busy', { retryAfterMs })
    await using one = await openEngine({ database, providers: [first, healthy('second')] })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect(first.sent).toHaveLength(1)
    await waitForCooldowns(one, 1)
    expect(await readCooldowns(one)).toMatchObject([{ provider: 'first', inCooldown: true, seconds: 300 }])
  })

  it('is asked about an accepted request within maxCooldownMs, whatever wait it asks for', async () => {
    let checks = 0
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 0 }), {
      async check(_, order, call) {
        if (++checks > 1) return done({ order, call })
        throw failure('busy', { retryAfterMs: 3_153_600_000_000 })
      },
    })
    const tuning = { maxCooldownMs: 100, pollMs: 20 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect(checks).toBe(2)
  })

  it.each(['PROVIDER_QUOTA', 'PROVIDER_MISCONFIGURED'] as const)(
    'enters a cooldown of five minutes for all models after %s, and others take over',
    async (code) => {
      const first = failing('first', 'refused', { code })
      await using one = await openEngine({ database, providers: [first, healthy('second')] })
      await one.reached((await one.create()).id, 'SUCCEEDED')
      await waitForCooldowns(one, 1)
      expect(await readCooldowns(one)).toEqual([
        { provider: 'first', model: ALL_MODELS, inCooldown: true, seconds: 300 },
      ])
      const { id } = await one.create({ model: 'gpt-image-1' })
      await one.reached(id, 'SUCCEEDED')
      expect(await one.attempts(id)).toMatchObject([{ provider: 'second' }])
      expect(first.sent).toHaveLength(1)
    },
  )

  it('enters a cooldown for the busy model as long as it requests, and serves other models', async () => {
    const first = scripted(
      (sent) => {
        if (sent.order.model !== 'gpt-image-2') return done(sent)
        return Promise.reject(failure('busy', { retryAfterMs: 90_000 }))
      },
      { name: 'first' },
    )
    await using one = await openEngine({ database, providers: [first, healthy('second')] })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    await waitForCooldowns(one, 1)
    expect(await readCooldowns(one)).toEqual([
      { provider: 'first', model: 'gpt-image-2', inCooldown: true, seconds: 90 },
    ])
    const [same, other] = [await one.create(), await one.create({ model: 'gpt-image-1' })]
    await Promise.all([one.reached(same.id, 'SUCCEEDED'), one.reached(other.id, 'SUCCEEDED')])
    expect(await one.attempts(same.id)).toMatchObject([{ provider: 'second' }])
    expect(await one.attempts(other.id)).toMatchObject([{ provider: 'first' }])
  })

  it('enters no cooldown when busy without a requested time, nor for rejected requests', async () => {
    const first = scripted((_, nth) => Promise.reject(failure(nth === 1 ? 'busy' : 'rejected')), {
      name: 'first',
    })
    await using one = await openEngine({ database, providers: [first] })
    await one.reached((await one.create()).id, 'FAILED')
    expect(first.sent).toHaveLength(2)
    expect(await readCooldowns(one)).toEqual([])
  })

  it('enters no cooldown for a failure before anything was sent', async () => {
    const first = scripted((sent) => done(sent), { name: 'first', offers: [offer({}, { model: 'other' })] })
    await using one = await openEngine({ database, providers: [healthy('first')], start: false })
    const { id } = await one.create()
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    const task = await two.reached(id, 'FAILED')
    expect(task.error).toMatchObject({ code: 'PROVIDER_MISCONFIGURED', charged: 'NO' })
    await two.close()
    await using three = await openEngine({ place: one.place, providers: [first] })
    expect(await readCooldowns(three)).toEqual([])
  })
})

const WHOLE_PROVIDER = { provider: 'scripted', model: ALL_MODELS, reason: 'by hand', since: 0 }

/** Loses every second of its first ten calls for gpt-image-2, and holds the eleventh until the test releases it. */
function failingThenHeld() {
  const probe = held()
  const calls = () => first.sent.filter(({ order }) => order.model === 'gpt-image-2')
  const first = scripted((sent) => {
    if (sent.order.model !== 'gpt-image-2') return done(sent)
    const nth = calls().length
    if (nth === 11) return probe.answer(sent)
    return nth <= 10 && nth % 2 === 0 ? Promise.reject(failure('lost')) : done(sent)
  })
  return { first, probe, calls }
}

/** Runs ten tasks in sequence, of which every second is lost. */
async function openBreaker(one: TestEngine) {
  for (let count = 1; count <= 10; count++) {
    await one.reached((await one.create()).id, count % 2 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
  }
  await waitForCooldowns(one, 1)
}

describe.each(DATABASES)('the circuit breaker on %s', (database) => {
  it('opens for 30 seconds at the tenth call when half of the calls failed, and not before', async () => {
    const first = scripted((sent, nth) => (nth % 2 === 0 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [first] })
    for (let count = 1; count <= 9; count++) {
      await one.reached((await one.create()).id, count % 2 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
    }
    await expect.poll(() => first.sent.length).toBe(9)
    expect(await readCooldowns(one)).toEqual([])
    await one.reached((await one.create()).id, 'OUTCOME_UNKNOWN')
    await waitForCooldowns(one, 1)
    expect(await readCooldowns(one)).toEqual([
      { provider: 'scripted', model: 'gpt-image-2', inCooldown: true, seconds: 30 },
    ])
  })

  it('stays closed while most calls succeed', async () => {
    const first = scripted((sent, nth) => (nth % 3 === 0 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [first] })
    for (let count = 1; count <= 12; count++) {
      await one.reached((await one.create()).id, count % 3 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
    }
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    expect(await readCooldowns(two)).toEqual([])
  })

  it('keeps attempts queued, then sends a single probe, whose success lifts the cooldown', async () => {
    const { first, probe, calls } = failingThenHeld()
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await openBreaker(one)
    const waiting = [await one.create(), await one.create(), await one.create()]
    // Another model is served meanwhile, also during the probe.
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(calls()).toHaveLength(10)
    await expireCooldowns(one)
    await waitForOneRunning(one, waiting)
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(calls()).toHaveLength(11)
    expect(await readCooldowns(one)).toHaveLength(1)

    probe.resolveWith((sent) => done(sent))
    for (const { id } of waiting) await one.reached(id, 'SUCCEEDED')
    await waitForCooldowns(one, 0)
  })

  it('delays the next probe again when the first one fails', async () => {
    const { first, probe, calls } = failingThenHeld()
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await openBreaker(one)
    const waiting = [await one.create(), await one.create()]
    await expireCooldowns(one)
    await waitForOneRunning(one, waiting)
    probe.release(failure('lost'))
    await expect.poll(() => readCooldowns(one)).toMatchObject([{ inCooldown: true, seconds: 30 }])
    // Served later, so the queue was read again before.
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(calls()).toHaveLength(11)
    const statuses = waiting.map(async ({ id }) => (await one.task(id)).status)
    expect((await Promise.all(statuses)).toSorted()).toEqual(['OUTCOME_UNKNOWN', 'QUEUED'])
  })

  it('sends a single probe of any model after a cooldown of a whole provider', async () => {
    const probe = held()
    const first = scripted((sent, nth) => (nth === 1 ? probe.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await one.db.tx((q) => putCooldown(q, { ...WHOLE_PROVIDER, forMs: 300_000 }))
    const waiting = [await one.create(), await one.create({ model: 'gpt-image-1' }), await one.create()]
    await expireCooldowns(one)
    await waitForOneRunning(one, waiting)
    expect(first.sent).toHaveLength(1)
    probe.resolveWith((sent) => done(sent))
    for (const { id } of waiting) await one.reached(id, 'SUCCEEDED')
    await waitForCooldowns(one, 0)
  })

  it('ignores a success that began before the cooldown', async () => {
    const early = held()
    const first = scripted((sent, nth) =>
      nth === 1 ? early.answer(sent) : Promise.reject(failure('refused')),
    )
    await using one = await openEngine({ database, providers: [first] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.reached((await one.create()).id, 'FAILED')
    await waitForCooldowns(one, 1)
    early.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    expect(await readCooldowns(two)).toMatchObject([
      { provider: 'scripted', model: ALL_MODELS, inCooldown: true },
    ])
  })

  it('keeps an operator’s pause until the operator resumes', async () => {
    const early = held()
    const first = scripted((sent, nth) => (nth === 1 ? early.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.db.tx((q) => putCooldown(q, { ...WHOLE_PROVIDER, forMs: null }))
    early.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    const waiting = await one.create()
    await one.db.tx((q) => putCooldown(q, { ...WHOLE_PROVIDER, forMs: 1 }))
    expect(await readCooldowns(one)).toMatchObject([{ inCooldown: true, seconds: null }])
    expect(await one.task(waiting.id)).toMatchObject({ status: 'QUEUED' })
    expect(first.sent).toHaveLength(1)
    await one.db.tx((q) => removeCooldown(q, WHOLE_PROVIDER, { paused: true }))
    await one.reached(waiting.id, 'SUCCEEDED')
  })
})
