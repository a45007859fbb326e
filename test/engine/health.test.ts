// Who is asked when somebody is ill. Rests are in the database's time, so where one is to be over, its row says so.
import { describe, expect, it } from 'vitest'
import { ALL_MODELS, listCooldowns, putCooldown, removeCooldown } from '../../src/db/providers/cooldowns.ts'
import type { Failure } from '../../src/providers/error.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, failure, held, scripted } from '../support/scripted.ts'

const well = (name: string) => scripted((sent) => done(sent), { name })
const failing = (name: string, kind: Failure['kind'], more: Partial<Failure> = {}) =>
  scripted(() => Promise.reject(failure(kind, more)), { name })

/** The rests there are, and how many seconds each was to last, by the clocks of engine and database on one machine. */
async function rests({ db }: TestEngine) {
  const rows = await listCooldowns(db.read)
  return rows.map(({ provider, model, until, since, inCooldown }) => ({
    provider,
    model,
    inCooldown,
    seconds: until === null ? null : Math.round((until - since) / 1000),
  }))
}

/** Ends the time of every rest, as waiting would. */
async function passTheTime({ db }: TestEngine): Promise<void> {
  await db.tx((q) => q.sql.update(q.tables.cooldowns).set({ until: 1 }))
}

async function rested(one: TestEngine, count: number): Promise<void> {
  await expect.poll(() => rests(one)).toHaveLength(count)
}

/** Waits until exactly one of these tasks is being worked on. */
async function oneRuns(one: TestEngine, tasks: { id: string }[]): Promise<void> {
  const statuses = () => Promise.all(tasks.map(async ({ id }) => (await one.task(id)).status))
  const others = tasks.slice(1).map(() => 'QUEUED')
  await expect.poll(async () => (await statuses()).toSorted()).toEqual([...others, 'RUNNING'])
}

describe.each(DATABASES)('providers that fail, on %s', (database) => {
  it.each<[what: string, kind: Failure['kind'], more: Partial<Failure>]>([
    ['refuses our account', 'refused', {}],
    ['is busy', 'busy', {}],
    ['cannot be reached', 'unreached', {}],
    ['is broken and vouches that nothing was charged', 'broken', { charged: 'NO' }],
  ])('hand the task on to another where one %s', async (_, kind, more) => {
    const first = failing('first', kind, more)
    const second = well('second')
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
    ['broken and perhaps charged', 'broken', 'FAILED', {}],
    ['broken and charged', 'broken', 'FAILED', { charged: 'YES' }],
    ['lost', 'lost', 'OUTCOME_UNKNOWN', {}],
    ['the request’s own fault', 'rejected', 'FAILED', {}],
  ])('keep the task where its end was %s', async (_, kind, status, more) => {
    const second = well('second')
    await using one = await openEngine({ database, providers: [failing('first', kind, more), second] })
    const { id } = await one.create()
    await one.reached(id, status)
    expect(await one.attempts(id)).toHaveLength(1)
    expect(second.sent).toEqual([])
  })

  it.each(['PROVIDER_QUOTA', 'PROVIDER_MISCONFIGURED'] as const)(
    'rest for five minutes with all their models after %s, and others take over',
    async (code) => {
      const first = failing('first', 'refused', { code })
      await using one = await openEngine({ database, providers: [first, well('second')] })
      await one.reached((await one.create()).id, 'SUCCEEDED')
      await rested(one, 1)
      expect(await rests(one)).toEqual([
        { provider: 'first', model: ALL_MODELS, inCooldown: true, seconds: 300 },
      ])
      const { id } = await one.create({ model: 'gpt-image-1' })
      await one.reached(id, 'SUCCEEDED')
      expect(await one.attempts(id)).toMatchObject([{ provider: 'second' }])
      expect(first.sent).toHaveLength(1)
    },
  )

  it('rest with the busy model for as long as they ask, and go on with others', async () => {
    const first = scripted(
      (sent) => {
        if (sent.order.model !== 'gpt-image-2') return done(sent)
        return Promise.reject(failure('busy', { retryAfterMs: 90_000 }))
      },
      { name: 'first' },
    )
    await using one = await openEngine({ database, providers: [first, well('second')] })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    await rested(one, 1)
    expect(await rests(one)).toEqual([
      { provider: 'first', model: 'gpt-image-2', inCooldown: true, seconds: 90 },
    ])
    const [same, other] = [await one.create(), await one.create({ model: 'gpt-image-1' })]
    await Promise.all([one.reached(same.id, 'SUCCEEDED'), one.reached(other.id, 'SUCCEEDED')])
    expect(await one.attempts(same.id)).toMatchObject([{ provider: 'second' }])
    expect(await one.attempts(other.id)).toMatchObject([{ provider: 'first' }])
  })

  it('do not rest for a busy moment of unknown length, nor for requests at fault', async () => {
    const first = scripted((_, nth) => Promise.reject(failure(nth === 1 ? 'busy' : 'rejected')), {
      name: 'first',
    })
    await using one = await openEngine({ database, providers: [first] })
    await one.reached((await one.create()).id, 'FAILED')
    expect(first.sent).toHaveLength(2)
    expect(await rests(one)).toEqual([])
  })

  it('do not rest for what failed before they were asked', async () => {
    const first = scripted((sent) => done(sent), { name: 'first', offers: [offer({}, { model: 'other' })] })
    await using one = await openEngine({ database, providers: [well('first')], start: false })
    const { id } = await one.create()
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    const task = await two.reached(id, 'FAILED')
    expect(task.error).toMatchObject({ code: 'PROVIDER_MISCONFIGURED', charged: 'NO' })
    await two.close()
    await using three = await openEngine({ place: one.place, providers: [first] })
    expect(await rests(three)).toEqual([])
  })
})

const WHOLE = { provider: 'scripted', model: ALL_MODELS, reason: 'by hand', since: 0 }

/** Loses every second of its first ten calls for gpt-image-2, and holds the eleventh until the test lets it go. */
function illThenHeld() {
  const probe = held()
  const painted = () => first.sent.filter(({ order }) => order.model === 'gpt-image-2')
  const first = scripted((sent) => {
    if (sent.order.model !== 'gpt-image-2') return done(sent)
    const nth = painted().length
    if (nth === 11) return probe.answer(sent)
    return nth <= 10 && nth % 2 === 0 ? Promise.reject(failure('lost')) : done(sent)
  })
  return { first, probe, painted }
}

/** Ten tasks one after the other, of which every second is lost. */
async function makeIll(one: TestEngine) {
  for (let count = 1; count <= 10; count++) {
    await one.reached((await one.create()).id, count % 2 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
  }
  await rested(one, 1)
}

describe.each(DATABASES)('the breaker, on %s', (database) => {
  it('opens for 30 seconds at the tenth call when half of them went wrong, and not before', async () => {
    const first = scripted((sent, nth) => (nth % 2 === 0 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [first] })
    for (let count = 1; count <= 9; count++) {
      await one.reached((await one.create()).id, count % 2 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
    }
    await expect.poll(() => first.sent.length).toBe(9)
    expect(await rests(one)).toEqual([])
    await one.reached((await one.create()).id, 'OUTCOME_UNKNOWN')
    await rested(one, 1)
    expect(await rests(one)).toEqual([
      { provider: 'scripted', model: 'gpt-image-2', inCooldown: true, seconds: 30 },
    ])
  })

  it('stays closed while most calls go well', async () => {
    const first = scripted((sent, nth) => (nth % 3 === 0 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [first] })
    for (let count = 1; count <= 12; count++) {
      await one.reached((await one.create()).id, count % 3 === 0 ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED')
    }
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    expect(await rests(two)).toEqual([])
  })

  it('lets what is queued wait, then sends one probe alone, whose success lifts the rest', async () => {
    const { first, probe, painted } = illThenHeld()
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await makeIll(one)
    const waiting = [await one.create(), await one.create(), await one.create()]
    // Another model of it is served meanwhile, and also while the probe is out.
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(painted()).toHaveLength(10)
    await passTheTime(one)
    await oneRuns(one, waiting)
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(painted()).toHaveLength(11)
    expect(await rests(one)).toHaveLength(1)

    probe.resolveWith((sent) => done(sent))
    for (const { id } of waiting) await one.reached(id, 'SUCCEEDED')
    await rested(one, 0)
  })

  it('lets the next probe wait again when the first one fails', async () => {
    const { first, probe, painted } = illThenHeld()
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await makeIll(one)
    const waiting = [await one.create(), await one.create()]
    await passTheTime(one)
    await oneRuns(one, waiting)
    probe.release(failure('lost'))
    await expect.poll(() => rests(one)).toMatchObject([{ inCooldown: true, seconds: 30 }])
    // Whoever is served after it was looked at in the queue after it.
    await one.reached((await one.create({ model: 'gpt-image-1' })).id, 'SUCCEEDED')
    expect(painted()).toHaveLength(11)
    const statuses = waiting.map(async ({ id }) => (await one.task(id)).status)
    expect((await Promise.all(statuses)).toSorted()).toEqual(['OUTCOME_UNKNOWN', 'QUEUED'])
  })

  it('sends one probe alone after a rest of a whole provider, whatever its model', async () => {
    const probe = held()
    const first = scripted((sent, nth) => (nth === 1 ? probe.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    await one.db.tx((q) => putCooldown(q, { ...WHOLE, forMs: 300_000 }))
    const waiting = [await one.create(), await one.create({ model: 'gpt-image-1' }), await one.create()]
    await passTheTime(one)
    await oneRuns(one, waiting)
    expect(first.sent).toHaveLength(1)
    probe.resolveWith((sent) => done(sent))
    for (const { id } of waiting) await one.reached(id, 'SUCCEEDED')
    await rested(one, 0)
  })

  it('does not take a success that began before the rest for a recovery', async () => {
    const early = held()
    const first = scripted((sent, nth) =>
      nth === 1 ? early.answer(sent) : Promise.reject(failure('refused')),
    )
    await using one = await openEngine({ database, providers: [first] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.reached((await one.create()).id, 'FAILED')
    await rested(one, 1)
    early.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [first] })
    expect(await rests(two)).toMatchObject([{ provider: 'scripted', model: ALL_MODELS, inCooldown: true }])
  })

  it('leaves an operator’s pause alone, until the operator resumes', async () => {
    const early = held()
    const first = scripted((sent, nth) => (nth === 1 ? early.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [first], tuning: { pollMs: 20 } })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.db.tx((q) => putCooldown(q, { ...WHOLE, forMs: null }))
    early.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    const waiting = await one.create()
    await one.db.tx((q) => putCooldown(q, { ...WHOLE, forMs: 1 }))
    expect(await rests(one)).toMatchObject([{ inCooldown: true, seconds: null }])
    expect(await one.task(waiting.id)).toMatchObject({ status: 'QUEUED' })
    expect(first.sent).toHaveLength(1)
    await one.db.tx((q) => removeCooldown(q, WHOLE, { paused: true }))
    await one.reached(waiting.id, 'SUCCEEDED')
  })
})
