import { describe, expect, it } from 'vitest'
import { listAudit } from '../../src/db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, failure, held, REPORTED, scripted, type Sent } from '../support/scripted.ts'
import { allEnded, allow, PRICE, priced, shop, standing } from './fixtures.ts'

const answer = (sent: Sent) => done(sent, REPORTED)

// When an engine closes, the books are checked besides: I5, I6, I15 and I21.
describe.each(DATABASES)('a budget on %s', (database) => {
  it('for exactly 100 lets exactly 100 of 500 parallel requests in, and is never overspent', async () => {
    await using one = await openEngine({ database, providers: [shop()], start: false })
    await allow(one, 100 * PRICE)
    const asked = await Promise.allSettled(Array.from({ length: 500 }, () => one.create()))
    const accepted = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : []))
    const refused = asked.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
    expect(accepted).toHaveLength(100)
    expect(new Set(refused.map((error) => (error as { code?: string }).code))).toEqual(
      new Set(['BUDGET_EXCEEDED']),
    )
    expect((await standing(one)).TOTAL).toEqual([100 * PRICE, 0])
    await one.engine.start()
    await allEnded(one, accepted)
    expect((await standing(one)).TOTAL).toEqual([0, 100 * PRICE])
  })

  it('says how much is left, of what, and for which period', async () => {
    await using one = await openEngine({ database, providers: [shop()], start: false })
    await allow(one, 3_500, 'MONTH')
    await one.create({ n: 3 })
    await expect(one.create()).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining(
        "$0.0005 is left of the project's budget of $0.0035 for this month",
      ) as string,
    })
  })

  it('lowered below what is spent stops what is new, and nothing that is under way', async () => {
    const first = held()
    const provider = shop((sent, nth) => (nth === 2 ? first.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    await allow(one, 5 * PRICE)
    await one.reached((await one.create()).id, 'SUCCEEDED')
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    expect(await allow(one, PRICE / 2)).toMatchObject({
      heldMicros: PRICE,
      spentMicros: PRICE,
      remainingMicros: 0,
    })
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    first.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    expect((await standing(one)).TOTAL).toEqual([0, 2 * PRICE])
  })

  it('counts what was spent before it was set', async () => {
    await using one = await openEngine({ database, providers: [shop()] })
    await one.reached((await one.create({ n: 4 })).id, 'SUCCEEDED')
    expect(await allow(one, 5 * PRICE, 'DAY')).toMatchObject({
      spentMicros: 4 * PRICE,
      remainingMicros: PRICE,
    })
    await one.create()
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect(await allow(one, null, 'DAY')).toMatchObject({ limitMicros: null, remainingMicros: null })
    await one.create({ n: 10 })
  })

  it('that is too small for another try ends the task with what went wrong, and holds nothing', async () => {
    const first = held()
    const provider = shop((sent) => first.answer(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ n: 2 })
    await one.reached(id, 'RUNNING')
    await allow(one, PRICE)
    first.release(failure('busy'))
    const task = await one.reached(id, 'FAILED')
    expect(task.error).toMatchObject({ code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
    expect(provider.sent).toHaveLength(1)
    expect((await standing(one)).TOTAL).toEqual([0, 0])
    await expect(
      one.engine.retryTask({ projectId: DEFAULT_PROJECT, apiKeyId: null }, id, {
        acceptPossibleSecondCharge: false,
      }),
    ).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect((await one.task(id)).status).toBe('FAILED')
  })

  it('of a day or a month counts a task where it was asked for, however long it runs', async () => {
    const first = held()
    // The last second of a month.
    let now = Date.UTC(2026, 10, 30, 23, 59, 59)
    const provider = shop((sent, nth) => (nth === 1 ? first.answer(sent) : done(sent)))
    await using one = await openEngine({
      database,
      providers: [provider],
      wrap: (deps) => ({ ...deps, clock: { ...deps.clock, now: () => now } }),
    })
    await allow(one, PRICE, 'DAY')
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    now += 2_000
    expect(await standing(one)).toEqual({ DAY: [0, 0], MONTH: [0, 0], TOTAL: [PRICE, 0] })
    const { id: next } = await one.create()
    first.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    await one.reached(next, 'SUCCEEDED')
    expect(await standing(one)).toEqual({ DAY: [0, PRICE], MONTH: [0, PRICE], TOTAL: [0, 2 * PRICE] })
    now -= 2_000
    expect(await standing(one)).toEqual({ DAY: [0, PRICE], MONTH: [0, PRICE], TOTAL: [0, 2 * PRICE] })
  })

  it('needs a price: providers without one are passed over, and refused where there is no other', async () => {
    const free = scripted(answer, { name: 'unpriced', offers: [offer()] })
    const paid = scripted(answer, { name: 'priced', offers: [priced()] })
    await using one = await openEngine({ database, providers: [free, paid] })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect([free.sent.length, paid.sent.length]).toEqual([1, 0])
    await allow(one, 10 * PRICE)
    await one.reached((await one.create({ providers: ['unpriced', 'priced'] })).id, 'SUCCEEDED')
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect([free.sent.length, paid.sent.length]).toEqual([1, 2])
    await expect(one.create({ providers: ['unpriced'] })).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN',
      message: expect.stringContaining('Configure a price') as string,
    })
    await allow(one, null)
    await one.create({ providers: ['unpriced'] })
  })

  it('is on record with who set it, to what, and what it was before', async () => {
    await using one = await openEngine({ database, providers: [shop()], start: false })
    await allow(one, 7)
    await allow(one, 8)
    await allow(one, null)
    const record = await listAudit(one.db.read, DEFAULT_PROJECT)
    expect(record.map(({ action, detail }) => [action, detail['before'], detail['limitMicros']])).toEqual(
      expect.arrayContaining([
        ['setBudget', null, '7'],
        ['setBudget', '7', '8'],
        ['setBudget', '8', null],
      ]),
    )
    expect(record[0]?.detail['by']).toBe('operator')
    await expect(allow(one, -1)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'limitMicros' })
    await expect(allow(one, 1, 'DAY', 'prj_nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
