import { describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { countForReview, REVIEW_REASONS } from '../../src/db/attempts/review.ts'
import { listLines } from '../../src/db/money/ledger.ts'
import { listSpending } from '../../src/db/money/spending.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import { estimateUnknownCosts } from '../../src/engine/maintenance/estimate-costs.ts'
import type { UnknownCostPolicy } from '../../src/engine/maintenance/unknown-cost.ts'
import { expectedMicros } from '../../src/engine/usage/expected-cost.ts'
import { reportUsage } from '../../src/engine/usage/report.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, scripted } from '../support/scripted.ts'

const by = operatorOf(DEFAULT_PROJECT)
const never = new AbortController().signal
const WEEK_MS = 7 * 86_400_000

async function post(one: TestEngine, policy: UnknownCostPolicy['post'], laterMs = WEEK_MS + 60_000) {
  const clock = { ...one.deps.clock, now: () => Date.now() + laterMs }
  await estimateUnknownCosts({ ...one.deps, clock, unknownCost: { post: policy, afterMs: WEEK_MS } }, never)
}

const linesOf = async (one: TestEngine, id: string) =>
  (await listLines(one.db.read, [id])).map(({ kind, source, amountMicros }) => [kind, source, amountMicros])

const byAmount = (a: unknown[], b: unknown[]) => Number(a[2]) - Number(b[2])

const totalsOf = async (one: TestEngine) => {
  const query = {
    projectId: DEFAULT_PROJECT,
    from: Date.now() - WEEK_MS,
    to: null,
    groupBy: [],
    filter: {},
  }
  const { totals } = await reportUsage(
    one.db.read,
    { ...query, timeZone: 'UTC', metadataKey: null },
    Date.now(),
  )
  return totals
}

describe.each(DATABASES)('an unknown cost, on %s', (database) => {
  async function openBroken() {
    const one = await openEngine({ database, providers: [scripted(() => Promise.reject(failure('broken')))] })
    const { id } = await one.create()
    await one.reached(id, 'FAILED')
    const [attempt] = await one.attempts(id)
    return { one, id, attempt: attempt! }
  }

  it('stays held by default, and before its time', async () => {
    const { one, id } = await openBroken()
    await using _ = one
    await post(one, 'KEEP')
    await post(one, 'MAXIMUM', 60_000)
    expect(await one.attempts(id)).toMatchObject([{ costMicros: null, estimatedMicros: null }])
  })

  it('is posted as an estimate beside the known costs, and counted by budgets', async () => {
    const { one, id, attempt } = await openBroken()
    await using _ = one
    await post(one, 'ESTIMATE')
    const [after] = await one.attempts(id)
    const offer = one.deps.providers[0]!.offers.find(({ model }) => model === attempt.model)
    const { request } = await one.task(id)
    const expected = expectedMicros(request, offer!, 1)
    expect(expected).toBeLessThan(attempt.heldMicros!)
    expect(after).toMatchObject({ costMicros: null, charged: 'UNKNOWN', estimatedMicros: expected })
    expect(await totalsOf(one)).toMatchObject({
      costMicros: 0,
      estimatedMicros: expected,
      estimatedCosts: 1,
      unknownCosts: 0,
      heldMicros: 0,
    })
    const spending = await listSpending(one.db.read, DEFAULT_PROJECT, Date.now())
    expect(spending.map(({ spentMicros, heldMicros }) => [spentMicros, heldMicros])).toEqual(
      spending.map(() => [expected, 0]),
    )
    expect(await countForReview(one.db.read, DEFAULT_PROJECT, REVIEW_REASONS, {})).toMatchObject([
      { reason: 'COST_ESTIMATED', attempts: 1, amountMicros: expected },
    ])
  })

  it('is posted once, and reversed by the cost that becomes known', async () => {
    const { one, id, attempt } = await openBroken()
    await using _ = one
    await post(one, 'MAXIMUM')
    await post(one, 'ESTIMATE')
    const held = attempt.heldMicros
    await one.engine.adjustCost(by, attempt.id, 700, 'invoice 7')
    expect(await one.attempts(id)).toMatchObject([{ costMicros: 700, estimatedMicros: null, charged: 'YES' }])
    // In order of amount: the clock of the estimate was ahead.
    expect((await linesOf(one, attempt.id)).toSorted(byAmount)).toEqual([
      ['ADJUST', 'ESTIMATE', -held!],
      ['ADJUST', 'OPERATOR', 700],
      ['HOLD', null, held],
      ['POST', 'ESTIMATE', held],
    ])
    expect(await totalsOf(one)).toMatchObject({ costMicros: 700, estimatedMicros: 0, estimatedCosts: 0 })
  })

  it('is reversed when an operator learns that nothing was charged', async () => {
    const { one, id, attempt } = await openBroken()
    await using _ = one
    await post(one, 'MAXIMUM')
    const selection = { ids: null, reasons: ['COST_ESTIMATED'] as const, filter: { providers: ['scripted'] } }
    expect(await one.engine.resolveAttempts(by, selection, 'NOT_CHARGED', 'contract')).toEqual({
      resolved: 1,
      problems: [],
      remaining: 0,
    })
    expect(await one.attempts(id)).toMatchObject([{ charged: 'NO', costMicros: null, estimatedMicros: null }])
    expect(await linesOf(one, attempt.id)).toContainEqual(['ADJUST', 'ESTIMATE', -attempt.heldMicros!])
    expect(await totalsOf(one)).toMatchObject({ costMicros: 0, estimatedMicros: 0, unknownCosts: 0 })
  })

  it('is not estimated for images that arrived, once their cost is known', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    const [attempt] = await one.attempts(id)
    await one.engine.adjustCost(by, attempt!.id, 0, 'free of charge')
    await post(one, 'MAXIMUM')
    expect(await one.attempts(id)).toMatchObject([{ costMicros: 0, estimatedMicros: null }])
  })
})
