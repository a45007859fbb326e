import { describe, expect, it } from 'vitest'
import { listLines } from '../../src/db/money/ledger.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listSpending } from '../../src/db/money/spending.ts'
import type { LedgerKind, TaskStatus } from '../../src/domain.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, REPORTED, scripted, type Scripted } from '../support/scripted.ts'

/** 10 text tokens at 5 and 100 image tokens at 30 USD a million. */
const COST = 3_050

/** A plain prompt at the most expensive size and quality of auto: 7,024 tokens at 30 USD a million, and some text. */
const MIN_HELD = 210_720

async function linesOf(one: TestEngine, taskId: string): Promise<[LedgerKind, number | null][]> {
  const attempts = await one.attempts(taskId)
  const lines = await Promise.all(attempts.map(({ id }) => listLines(one.db.read, [id])))
  return lines.flat().map(({ kind, amountMicros }) => [kind, amountMicros])
}

async function spending(one: TestEngine) {
  const rows = await listSpending(one.db.read, DEFAULT_PROJECT, one.deps.clock.now())
  return Object.fromEntries(
    rows.map(({ period, heldMicros, spentMicros }) => [period, [heldMicros, spentMicros]]),
  )
}

// Closing an engine also checks I5, I6, I15 and I21.
describe.each(DATABASES)('the ledger on %s', (database) => {
  async function ended(provider: Scripted, status: TaskStatus) {
    const one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, status)
    return { one, id }
  }

  it('posts the cost of an attempt in place of the held amount', async () => {
    const { one, id } = await ended(
      scripted((sent) => done(sent, REPORTED)),
      'SUCCEEDED',
    )
    await using _ = one
    const [hold, post] = await linesOf(one, id)
    expect(hold?.[0]).toBe('HOLD')
    expect(hold?.[1]).toBeGreaterThan(MIN_HELD)
    expect(post).toEqual(['POST', COST])
    expect(await spending(one)).toEqual({ DAY: [0, COST], MONTH: [0, COST], TOTAL: [0, COST] })
  })

  it('records the price table with each line', async () => {
    const provider = scripted((sent) => done(sent, REPORTED))
    const { one, id } = await ended(provider, 'SUCCEEDED')
    await using _ = one
    const { version } = provider.offers[0]!.price!
    const lines = await listLines(
      one.db.read,
      (await one.attempts(id)).map((attempt) => attempt.id),
    )
    expect(lines.map(({ kind, priceVersion }) => [kind, priceVersion])).toEqual([
      ['HOLD', version],
      ['POST', version],
    ])
  })

  it('keeps the worst case held while the cost is unknown', async () => {
    const { one, id } = await ended(
      scripted((sent) => done(sent)),
      'SUCCEEDED',
    )
    await using _ = one
    const [hold, ...more] = await linesOf(one, id)
    expect(more).toEqual([])
    expect(await spending(one)).toMatchObject({ TOTAL: [hold?.[1], 0] })
  })

  it('holds a second attempt only after the first was certainly free of charge', async () => {
    const provider = scripted((sent, nth) =>
      nth === 1 ? Promise.reject(failure('busy')) : done(sent, REPORTED),
    )
    const { one, id } = await ended(provider, 'SUCCEEDED')
    await using _ = one
    const [first, second, ...rest] = await linesOf(one, id)
    expect([first?.[0], second?.[0]]).toEqual(['HOLD', 'VOID'])
    expect(second?.[1]).toBe(first?.[1])
    expect(rest.map(([kind]) => kind)).toEqual(['HOLD', 'POST'])
    expect(await spending(one)).toMatchObject({ TOTAL: [0, COST] })
  })

  it('keeps the hold while the outcome is unknown, and posts the worst case when the result is lost', async () => {
    const { one, id } = await ended(
      scripted(() => Promise.reject(failure('lost'))),
      'OUTCOME_UNKNOWN',
    )
    await using _ = one
    const held = (await linesOf(one, id))[0]?.[1]
    expect(await spending(one)).toMatchObject({ TOTAL: [held, 0] })
    const [attempt] = await one.attempts(id)
    await one.engine.resolveAttempt(DEFAULT_PROJECT, attempt!.id, { is: 'CHARGED_RESULT_LOST' }, null)
    expect(await linesOf(one, id)).toEqual([
      ['HOLD', held],
      ['POST', held],
    ])
    expect(await spending(one)).toMatchObject({ TOTAL: [0, held] })
  })

  it('voids the hold of an attempt that is canceled before it is sent', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const { id } = await one.create()
    await one.engine.cancelTask(DEFAULT_PROJECT, id)
    const [hold, end] = await linesOf(one, id)
    expect(end).toEqual(['VOID', hold?.[1]])
    expect(await spending(one)).toMatchObject({ TOTAL: [0, 0] })
  })

  it('holds an unknown amount without a price', async () => {
    const { offers } = scripted((sent) => done(sent))
    const unpriced = offers.map((offer) => ({ ...offer, price: null }))
    const provider = scripted((sent) => done(sent, REPORTED), { offers: unpriced })
    const { one, id } = await ended(provider, 'SUCCEEDED')
    await using _ = one
    expect(await linesOf(one, id)).toEqual([['HOLD', null]])
    expect(await spending(one)).toMatchObject({ TOTAL: [0, 0] })
  })
})
