import { describe, expect, it } from 'vitest'
import { listAudit } from '../../src/db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, failure, held, REPORTED, scripted, type Sent } from '../support/scripted.ts'
import {
  waitForSuccess,
  setLimit,
  PRICE_MICROS,
  pricedOffer,
  pricedProvider,
  budgetTotals,
} from './fixtures.ts'

const respond = (sent: Sent) => done(sent, REPORTED)

// Closing an engine also verifies the ledger: I5, I6, I15 and I21.
describe.each(DATABASES)('a budget on %s', (database) => {
  it('for exactly 100 images accepts exactly 100 of 500 concurrent requests, and is never exceeded', async () => {
    await using one = await openEngine({ database, providers: [pricedProvider()], start: false })
    await setLimit(one, 100 * PRICE_MICROS)
    const results = await Promise.allSettled(Array.from({ length: 500 }, () => one.create()))
    const accepted = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : []))
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    )
    expect(accepted).toHaveLength(100)
    expect(new Set(refused.map((error) => (error as { code?: string }).code))).toEqual(
      new Set(['BUDGET_EXCEEDED']),
    )
    expect((await budgetTotals(one)).TOTAL).toEqual([100 * PRICE_MICROS, 0])
    await one.engine.start()
    await waitForSuccess(one, accepted)
    expect((await budgetTotals(one)).TOTAL).toEqual([0, 100 * PRICE_MICROS])
  })

  it('that is exceeded is reported with its remainder, owner and period', async () => {
    await using one = await openEngine({ database, providers: [pricedProvider()], start: false })
    await setLimit(one, 3_500, 'MONTH')
    await one.create({ n: 3 })
    await expect(one.create()).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining(
        "$0.0005 is left of the project's budget of $0.0035 for this month",
      ) as string,
    })
  })

  it('lowered below the spent amount refuses new tasks and leaves running ones unchanged', async () => {
    const first = held()
    const provider = pricedProvider((sent, nth) => (nth === 2 ? first.answer(sent) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    await setLimit(one, 5 * PRICE_MICROS)
    await one.reached((await one.create()).id, 'SUCCEEDED')
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    expect(await setLimit(one, PRICE_MICROS / 2)).toMatchObject({
      heldMicros: PRICE_MICROS,
      spentMicros: PRICE_MICROS,
      remainingMicros: 0,
    })
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    first.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    expect((await budgetTotals(one)).TOTAL).toEqual([0, 2 * PRICE_MICROS])
  })

  it('counts the spending from before it was set', async () => {
    await using one = await openEngine({ database, providers: [pricedProvider()] })
    await one.reached((await one.create({ n: 4 })).id, 'SUCCEEDED')
    expect(await setLimit(one, 5 * PRICE_MICROS, 'DAY')).toMatchObject({
      spentMicros: 4 * PRICE_MICROS,
      remainingMicros: PRICE_MICROS,
    })
    await one.create()
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect(await setLimit(one, null, 'DAY')).toMatchObject({ limitMicros: null, remainingMicros: null })
    await one.create({ n: 10 })
  })

  it('that is too small for another attempt ends the task with the error of the last one, and holds nothing', async () => {
    const first = held()
    const provider = pricedProvider((sent) => first.answer(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ n: 2 })
    await one.reached(id, 'RUNNING')
    await setLimit(one, PRICE_MICROS)
    first.release(failure('busy'))
    const task = await one.reached(id, 'FAILED')
    expect(task.error).toMatchObject({ code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
    expect(provider.sent).toHaveLength(1)
    expect((await budgetTotals(one)).TOTAL).toEqual([0, 0])
    await expect(
      one.engine.retryTask({ projectId: DEFAULT_PROJECT, apiKeyId: null }, id, {
        acceptPossibleSecondCharge: false,
      }),
    ).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect((await one.task(id)).status).toBe('FAILED')
  })

  it('of a day or a month counts a task in the period of its creation, regardless of its duration', async () => {
    const first = held()
    // The last second of a month, in UTC.
    let now = Date.UTC(2026, 10, 30, 23, 59, 59)
    const provider = pricedProvider((sent, nth) => (nth === 1 ? first.answer(sent) : done(sent)))
    await using one = await openEngine({
      database,
      providers: [provider],
      wrap: (deps) => ({ ...deps, clock: { ...deps.clock, now: () => now } }),
    })
    await setLimit(one, PRICE_MICROS, 'DAY')
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await expect(one.create()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    now += 2_000
    expect(await budgetTotals(one)).toEqual({ DAY: [0, 0], MONTH: [0, 0], TOTAL: [PRICE_MICROS, 0] })
    const { id: next } = await one.create()
    first.resolveWith((sent) => done(sent))
    await one.reached(id, 'SUCCEEDED')
    await one.reached(next, 'SUCCEEDED')
    expect(await budgetTotals(one)).toEqual({
      DAY: [0, PRICE_MICROS],
      MONTH: [0, PRICE_MICROS],
      TOTAL: [0, 2 * PRICE_MICROS],
    })
    now -= 2_000
    expect(await budgetTotals(one)).toEqual({
      DAY: [0, PRICE_MICROS],
      MONTH: [0, PRICE_MICROS],
      TOTAL: [0, 2 * PRICE_MICROS],
    })
  })

  it('requires a price: providers without one are skipped, or refused if no other is eligible', async () => {
    const unpriced = scripted(respond, { name: 'unpriced', offers: [offer()] })
    const priced = scripted(respond, { name: 'priced', offers: [pricedOffer()] })
    await using one = await openEngine({ database, providers: [unpriced, priced] })
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect([unpriced.sent.length, priced.sent.length]).toEqual([1, 0])
    await setLimit(one, 10 * PRICE_MICROS)
    await one.reached((await one.create({ providers: ['unpriced', 'priced'] })).id, 'SUCCEEDED')
    await one.reached((await one.create()).id, 'SUCCEEDED')
    expect([unpriced.sent.length, priced.sent.length]).toEqual([1, 2])
    await expect(one.create({ providers: ['unpriced'] })).rejects.toMatchObject({
      code: 'PRICE_UNKNOWN',
      message: expect.stringContaining('Configure a price') as string,
    })
    await setLimit(one, null)
    await one.create({ providers: ['unpriced'] })
  })

  it('is recorded in the audit log with its author and its limits before and after', async () => {
    await using one = await openEngine({ database, providers: [pricedProvider()], start: false })
    await setLimit(one, 7)
    await setLimit(one, 8)
    await setLimit(one, null)
    const entries = await listAudit(one.db.read, DEFAULT_PROJECT)
    expect(entries.map(({ action, detail }) => [action, detail['before'], detail['limitMicros']])).toEqual(
      expect.arrayContaining([
        ['setBudget', null, '7'],
        ['setBudget', '7', '8'],
        ['setBudget', '8', null],
      ]),
    )
    expect(entries[0]?.detail['by']).toBe('operator')
    await expect(setLimit(one, -1)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'limitMicros' })
    await expect(setLimit(one, 1, 'DAY', 'prj_nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
