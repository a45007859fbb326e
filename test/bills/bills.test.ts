import { describe, expect, it } from 'vitest'
import { listAudit } from '../../src/db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listLines } from '../../src/db/money/ledger.ts'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import type { Bill, BillLine } from '../../src/engine/bills/bill.ts'
import { startOfDay } from '../../src/period.ts'
import type { BilledDay } from '../../src/providers/provider.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, REPORTED, scripted } from '../support/scripted.ts'

const by = operatorOf(DEFAULT_PROJECT)
const DAY_MS = 86_400_000
/** What REPORTED costs by the price table. */
const COST = 3_050

/** Ends as the prompt says. */
function everyEnd(more: Parameters<typeof scripted>[1] = {}) {
  return scripted(
    (sent) => {
      const { prompt } = sent.order
      if (prompt === 'done') return done(sent, REPORTED)
      if (prompt === 'unpriced') return done(sent)
      if (prompt === 'broken') return Promise.reject(failure('broken'))
      if (prompt === 'blocked') return Promise.reject(failure('rejected'))
      return Promise.reject(failure('lost'))
    },
    { concurrency: 8, ...more },
  )
}

function line(amountMicros: number, more: Partial<BillLine> = {}): BillLine {
  return { amountMicros, attemptId: null, requestId: null, remoteId: null, at: null, ...more }
}

function bill(lines: readonly BillLine[], isComplete = true): Bill {
  const from = startOfDay(Date.now()) - DAY_MS
  const dated = isComplete ? lines : lines.map((one) => ({ ...one, at: one.at ?? Date.now() }))
  return {
    provider: 'scripted',
    source: 'a.csv',
    lines: dated,
    period: isComplete ? { from, to: from + 3 * DAY_MS } : null,
  }
}

async function end(one: TestEngine, prompt: string, status: 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN') {
  const { id } = await one.create({ prompt })
  await one.reached(id, status)
  return (await one.attempts(id))[0]!
}

const stateOf = async (one: TestEngine, { taskId, id }: AttemptRow) =>
  (await one.attempts(taskId)).find((attempt) => attempt.id === id)!

// Closing an engine also checks the invariants.
describe.each(DATABASES)('a bill, on %s', (database) => {
  it('reports what is missing here, missing there, different and equal', async () => {
    await using one = await openEngine({ database, providers: [everyEnd()] })
    const equal = await end(one, 'done', 'SUCCEEDED')
    const dearer = await end(one, 'done', 'SUCCEEDED')
    const missing = await end(one, 'broken', 'FAILED')
    await end(one, 'blocked', 'FAILED')
    const report = await one.engine.compareBill(
      bill([
        line(COST, { attemptId: equal.id }),
        line(COST, { attemptId: dearer.id }),
        line(10, { attemptId: dearer.id }),
        line(77, { requestId: 'of another client', at: Date.now() }),
      ]),
    )
    expect(report).toMatchObject({
      matched: 1,
      running: 0,
      missingHere: [{ number: 4, amountMicros: 77 }],
      missingThere: [{ id: missing.id }],
      different: [
        { attempt: { id: dearer.id }, billedMicros: COST + 10, recordedMicros: COST, lines: [2, 3] },
      ],
      days: [{ billedMicros: 2 * COST + 87, recordedMicros: 2 * COST, unknownCosts: 1 }],
    })
    expect(await stateOf(one, dearer)).toMatchObject({ costMicros: COST })
  })

  it('sets every attempt right, and changes nothing the second time', async () => {
    await using one = await openEngine({ database, providers: [everyEnd()] })
    const dearer = await end(one, 'done', 'SUCCEEDED')
    const unpriced = await end(one, 'unpriced', 'SUCCEEDED')
    const broken = await end(one, 'broken', 'FAILED')
    const free = await end(one, 'broken', 'FAILED')
    const blocked = await end(one, 'blocked', 'FAILED')
    const lost = await end(one, 'lost', 'OUTCOME_UNKNOWN')
    const notCharged = await end(one, 'lost', 'OUTCOME_UNKNOWN')
    const given = bill(
      [dearer, unpriced, broken, blocked, lost].map(({ id }, nth) => line(4_000 + nth, { attemptId: id })),
    )
    expect(await one.engine.applyBill(by, given)).toMatchObject({ corrected: 7, problems: [] })
    const states = async () =>
      Promise.all(
        [dearer, unpriced, broken, free, blocked, lost, notCharged].map(async (attempt) => {
          const { state, charged, costMicros } = await stateOf(one, attempt)
          return [state, charged, costMicros]
        }),
      )
    const expected = [
      ['SUCCEEDED', 'YES', 4_000],
      ['SUCCEEDED', 'YES', 4_001],
      ['FAILED', 'YES', 4_002],
      ['FAILED', 'NO', null],
      ['FAILED', 'YES', 4_003],
      ['FAILED', 'YES', 4_004],
      ['REJECTED', 'NO', null],
    ]
    expect(await states()).toEqual(expected)
    const sources = (await listLines(one.db.read, [broken.id])).map(({ kind, source }) => [kind, source])
    expect(sources).toEqual([
      ['HOLD', null],
      ['POST', 'BILL'],
    ])
    expect(await listAudit(one.db.read, blocked.id)).toMatchObject([
      { action: 'applyBill', detail: { costMicros: '4003', charged: 'NO', note: 'a.csv, line 4' } },
    ])
    const again = await one.engine.applyBill(by, given)
    expect(again).toMatchObject({ corrected: 0, report: { different: [], missingThere: [], matched: 5 } })
    expect(await states()).toEqual(expected)
  })

  it('ends the task of an unknown outcome without a further paid call', async () => {
    const provider = everyEnd()
    await using one = await openEngine({ database, providers: [provider] })
    const lost = await end(one, 'lost', 'OUTCOME_UNKNOWN')
    await one.engine.applyBill(by, bill([]))
    expect(await one.reached(lost.taskId, 'FAILED')).toMatchObject({
      chargesOpen: 0,
      error: { charged: 'NO', retryable: true },
    })
    expect(provider.sent).toHaveLength(1)
  })

  it('keeps what is missing there unless it is known to be complete', async () => {
    await using one = await openEngine({ database, providers: [everyEnd()] })
    const equal = await end(one, 'done', 'SUCCEEDED')
    const broken = await end(one, 'broken', 'FAILED')
    const applied = await one.engine.applyBill(by, bill([line(COST, { attemptId: equal.id })], false))
    expect(applied).toMatchObject({
      corrected: 0,
      report: { isComplete: false, missingThere: [{ id: broken.id }] },
    })
    expect(await stateOf(one, broken)).toMatchObject({ charged: 'UNKNOWN' })
  })

  it('names attempts that it credits with more than it charges', async () => {
    await using one = await openEngine({ database, providers: [everyEnd()] })
    const equal = await end(one, 'done', 'SUCCEEDED')
    const { corrected, problems } = await one.engine.applyBill(by, bill([line(-5, { attemptId: equal.id })]))
    expect([corrected, problems.map(({ attemptId }) => attemptId)]).toEqual([0, [equal.id]])
  })

  it.each<[string, Partial<Bill>, string]>([
    [
      'lines without a time, and without a period',
      { period: null, lines: [line(1, { attemptId: 'att_1' })] },
      'from',
    ],
    [
      'an amount of more than a million dollars',
      { lines: [line(2_000_000_000_000)] },
      'lines.0.amountMicros',
    ],
    ['a period that ends before it starts', { period: { from: 2, to: 1 } }, 'to'],
  ])('is refused with %s', async (_, more, field) => {
    await using one = await openEngine({ database, providers: [everyEnd()] })
    await expect(one.engine.compareBill({ ...bill([]), ...more })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field,
    })
  })

  describe('of daily totals', () => {
    const today = startOfDay(Date.now())
    const period = { provider: 'scripted', from: today - DAY_MS, to: today + 2 * DAY_MS }
    const total = (micros: number): BilledDay => ({ startsAt: today, micros, otherMicros: 0, images: null })

    /** `later` moves its clock on by three days, so that today is over and its bill is settled. */
    async function openBilled(micros: number) {
      const provider = everyEnd({ fetchBill: () => Promise.resolve([total(micros)]) })
      let aheadMs = 0
      const one = await openEngine({
        database,
        providers: [provider],
        wrap: (deps) => ({ ...deps, clock: { ...deps.clock, now: () => Date.now() + aheadMs } }),
      })
      return { one, later: () => void (aheadMs = 3 * DAY_MS) }
    }

    it('proves that unknown charges were none when nothing is left for them', async () => {
      const { one, later } = await openBilled(COST)
      await using _ = one
      await end(one, 'done', 'SUCCEEDED')
      const broken = [await end(one, 'broken', 'FAILED'), await end(one, 'broken', 'FAILED')]
      expect(await one.engine.compareProviderBill(period)).toMatchObject({ missingThere: [], matched: 1 })
      later()
      expect(await one.engine.applyProviderBill(by, period)).toMatchObject({ corrected: 2, problems: [] })
      for (const attempt of broken) expect(await stateOf(one, attempt)).toMatchObject({ charged: 'NO' })
    })

    it('proves nothing when two costs of a day are unknown', async () => {
      const { one, later } = await openBilled(COST + 444)
      await using _ = one
      await end(one, 'done', 'SUCCEEDED')
      for (let nth = 0; nth < 2; nth++) await end(one, 'broken', 'FAILED')
      later()
      expect(await one.engine.applyProviderBill(by, period)).toMatchObject({
        corrected: 0,
        report: { different: [], missingThere: [], days: [{ billedMicros: COST + 444, unknownCosts: 2 }] },
      })
    })

    it('proves the only unknown cost of a day', async () => {
      const { one, later } = await openBilled(COST + 444)
      await using _ = one
      await end(one, 'done', 'SUCCEEDED')
      const broken = await end(one, 'broken', 'FAILED')
      later()
      expect(await one.engine.applyProviderBill(by, period)).toMatchObject({ corrected: 1 })
      expect(await stateOf(one, broken)).toMatchObject({ charged: 'YES', costMicros: 444 })
    })
  })
})
