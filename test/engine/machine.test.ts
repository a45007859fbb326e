import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ATTEMPT_STATES, type AttemptState, type LedgerKind } from '../../src/domain.ts'
import {
  TRANSITIONS,
  transition,
  type AttemptFacts,
  type Trigger,
} from '../../src/engine/attempts/machine.ts'
import { violation, type Step, type World } from './machine-model.ts'

const HELD = 500

/** An attempt in a state, with the usual cost of that state. */
function attemptIn(state: AttemptState): AttemptFacts {
  const open = ['SENDING', 'ACCEPTED', 'UNKNOWN', 'FAILED'].includes(state)
  const done = state === 'SUCCEEDED' || state === 'FETCHING'
  return {
    state,
    charged: done ? 'YES' : open ? 'UNKNOWN' : 'NO',
    heldMicros: HELD,
    costMicros: done ? 300 : null,
    finishedAt: null,
  }
}

describe('an attempt', () => {
  it.each<[from: AttemptState, trigger: Trigger, to: AttemptState, permits: number, line: LedgerKind | null]>(
    [
      ['LEASED', 'send', 'SENDING', 1, null],
      ['LEASED', 'release', 'PLANNED', 0, null],
      ['SENDING', 'markNotSent', 'NOT_SENT', -1, 'VOID'],
      ['SENDING', 'reject', 'REJECTED', -1, 'VOID'],
      ['SENDING', 'accept', 'ACCEPTED', 0, null],
      ['SENDING', 'succeed', 'SUCCEEDED', 0, 'POST'],
      ['ACCEPTED', 'succeed', 'SUCCEEDED', 0, 'POST'],
      ['SENDING', 'receive', 'FETCHING', 0, 'POST'],
      ['ACCEPTED', 'receive', 'FETCHING', 0, 'POST'],
      ['UNKNOWN', 'receive', 'FETCHING', 0, 'POST'],
      ['FETCHING', 'succeed', 'SUCCEEDED', 0, null],
      ['FETCHING', 'fail', 'FAILED', 0, null],
      ['FETCHING', 'scheduleFetch', 'FETCHING', 0, null],
      ['SUCCEEDED', 'scheduleFetch', 'FETCHING', 0, null],
      ['FAILED', 'scheduleFetch', 'FETCHING', 0, null],
      ['UNKNOWN', 'succeed', 'SUCCEEDED', 0, 'POST'],
      ['SENDING', 'fail', 'FAILED', 0, 'POST'],
      ['UNKNOWN', 'fail', 'FAILED', 0, 'POST'],
      ['SENDING', 'markUnknown', 'UNKNOWN', 0, null],
      ['ACCEPTED', 'markUnknown', 'UNKNOWN', 0, null],
      ['UNKNOWN', 'reject', 'REJECTED', -1, 'VOID'],
      ['UNKNOWN', 'accept', 'ACCEPTED', 0, null],
      ['PLANNED', 'restore', 'UNKNOWN', 1, null],
      ['PLANNED', 'cancel', 'CANCELED', 0, 'VOID'],
      ['LEASED', 'cancel', 'CANCELED', 0, 'VOID'],
      ['LEASED', 'giveUp', 'NOT_SENT', 0, 'VOID'],
      ['FAILED', 'adjustCost', 'FAILED', 0, 'POST'],
      ['SUCCEEDED', 'adjustCost', 'SUCCEEDED', 0, 'ADJUST'],
      ['FAILED', 'estimateCost', 'FAILED', 0, 'POST'],
      ['FAILED', 'bill', 'FAILED', 0, 'POST'],
      ['SUCCEEDED', 'bill', 'SUCCEEDED', 0, 'ADJUST'],
      ['REJECTED', 'bill', 'FAILED', 0, 'ADJUST'],
      ['FAILED', 'waive', 'FAILED', -1, 'VOID'],
    ],
  )('in %s on %s becomes %s, with %d permits and the ledger line %s', (from, trigger, to, permits, kind) => {
    // A cost that is known is not recorded again.
    const changesCost = ['receive', 'succeed', 'fail', 'adjustCost', 'bill', 'estimateCost'].includes(trigger)
    const input =
      from !== 'FETCHING' && changesCost
        ? { charged: 'YES' as const, costMicros: 200, estimatedMicros: 250 }
        : {}
    const next = transition(attemptIn(from), trigger, { at: 7, ...input })
    expect(next).toMatchObject({ set: { state: to }, permits })
    expect(next?.line?.kind ?? null).toBe(kind)
  })

  it.each(
    ATTEMPT_STATES.flatMap((state) =>
      Object.entries(TRANSITIONS)
        .filter(([, { from }]) => !(from as readonly AttemptState[]).includes(state))
        .map(([trigger]) => [state, trigger as Trigger] as const),
    ),
  )('in %s refuses %s', (state, trigger) => {
    expect(transition(attemptIn(state), trigger, { at: 7 })).toBeUndefined()
  })

  it('keeps its hold after its end while its cost is unknown', () => {
    expect(transition(attemptIn('SENDING'), 'succeed', { at: 7, costMicros: null })?.line).toBeNull()
    expect(transition(attemptIn('SENDING'), 'fail', { at: 7, charged: 'UNKNOWN' })?.line).toBeNull()
  })

  it('takes an estimate back once its cost is known, or known to be nothing', () => {
    const failed = attemptIn('FAILED')
    const { set } = transition(failed, 'estimateCost', { at: 7, estimatedMicros: 250 })!
    const estimated = { ...failed, ...set }
    expect(estimated).toMatchObject({ costMicros: null, estimatedMicros: 250, charged: 'UNKNOWN' })
    const reversal = { kind: 'ADJUST', amountMicros: -250 }
    expect(transition(estimated, 'bill', { at: 8, costMicros: 200 })).toMatchObject({
      set: { costMicros: 200, estimatedMicros: null, charged: 'YES' },
      reversal,
      line: { kind: 'ADJUST', amountMicros: 200 },
    })
    expect(transition(estimated, 'waive', { at: 8 })).toMatchObject({
      set: { costMicros: null, estimatedMicros: null, charged: 'NO' },
      permits: -1,
      reversal,
      line: null,
    })
    expect(transition(estimated, 'estimateCost', { at: 8, estimatedMicros: 300 })).toBeUndefined()
  })

  it('is charged by a bill without a permit when it was free of charge here', () => {
    expect(transition(attemptIn('REJECTED'), 'bill', { at: 7, costMicros: 200 })).toMatchObject({
      set: { charged: 'YES', billedWithoutPermit: true },
      permits: 0,
    })
    expect(transition(attemptIn('REJECTED'), 'bill', { at: 7, costMicros: 0 })).toBeUndefined()
  })

  it('voids its held amount when it was not charged, also an unknown amount', () => {
    const line = transition(attemptIn('SENDING'), 'reject', { at: 7 })?.line
    expect(line).toEqual({ kind: 'VOID', amountMicros: HELD })
    const unpriced = { ...attemptIn('SENDING'), heldMicros: null }
    expect(transition(unpriced, 'reject', { at: 7 })?.line).toEqual({ kind: 'VOID', amountMicros: null })
  })
})

const STEPS: readonly Step['does'][] = [
  'claim',
  'send',
  'give up',
  'die',
  'recover',
  'result',
  'addresses',
  'fetch',
  'lose addresses',
  'fetch again',
  'accept',
  'reject',
  'break',
  'markUnknown',
  'unreached',
  'restore',
  'late result',
  'late id',
  'resolve',
  'cancel',
  'retry',
  'adjustCost',
  'estimate',
  'bill',
  'waive',
]

const anyWorld: fc.Arbitrary<World> = fc.record({
  parts: fc.integer({ min: 1, max: 3 }),
  maxCharges: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom('HOLD', 'RESEND'),
  heldMicros: fc.constantFrom(HELD, null),
})

// Progress is more likely than other steps, so that most sequences get far.
const anyStep: fc.Arbitrary<Step> = fc.record({
  does: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom<Step['does']>('claim', 'send') },
    { weight: 3, arbitrary: fc.constantFrom(...STEPS) },
  ),
  which: fc.nat(8),
  charges: fc.boolean(),
})

it('never has an unrecorded charge, sends twice on one permit or ends its ledger twice, in 100,000 random runs', () => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(anyWorld, fc.array(anyStep, { minLength: 6, maxLength: 40 }), (world, steps) => {
      const wrong = violation(world, steps, reached)
      if (wrong) throw new Error(wrong)
    }),
    { numRuns: 100_000 },
  )
  // Every transition was taken, or the runs were not random enough.
  expect([...reached].toSorted()).toEqual(
    Object.keys(TRANSITIONS)
      .filter((trigger) => !['scheduleCheck', 'keepUnknown'].includes(trigger))
      .toSorted(),
  )
}, 120_000)
