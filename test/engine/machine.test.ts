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

/** An attempt as it stands in a state, with its cost as usual there. */
function standing(state: AttemptState): AttemptFacts {
  const open = ['SENDING', 'ACCEPTED', 'UNKNOWN', 'FAILED'].includes(state)
  const done = state === 'SUCCEEDED'
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
    ],
  )('that is %s and %s is %s, with %d permits and the line %s', (from, trigger, to, permits, kind) => {
    const brings = ['succeed', 'fail', 'adjustCost'].includes(trigger)
      ? { charged: 'YES' as const, costMicros: 200 }
      : {}
    const next = transition(standing(from), trigger, { at: 7, ...brings })
    expect(next).toMatchObject({ set: { state: to }, permits })
    expect(next?.line?.kind ?? null).toBe(kind)
  })

  it.each(
    ATTEMPT_STATES.flatMap((state) =>
      Object.entries(TRANSITIONS)
        .filter(([, { from }]) => !(from as readonly AttemptState[]).includes(state))
        .map(([trigger]) => [state, trigger as Trigger] as const),
    ),
  )('that is %s cannot %s', (state, trigger) => {
    expect(transition(standing(state), trigger, { at: 7 })).toBeUndefined()
  })

  it('whose cost is not told keeps what it holds, even when it has ended', () => {
    expect(transition(standing('SENDING'), 'succeed', { at: 7, costMicros: null })?.line).toBeNull()
    expect(transition(standing('SENDING'), 'fail', { at: 7, charged: 'UNKNOWN' })?.line).toBeNull()
  })

  it('that was not charged gives back what it held, and one of unknown worst case says so', () => {
    const line = transition(standing('SENDING'), 'reject', { at: 7 })?.line
    expect(line).toEqual({ kind: 'VOID', amountMicros: HELD })
    const unpriced = { ...standing('SENDING'), heldMicros: null }
    expect(transition(unpriced, 'reject', { at: 7 })?.line).toEqual({ kind: 'VOID', amountMicros: null })
  })
})

const STEPS: readonly Step['does'][] = [
  'claim',
  'send',
  'give up',
  'die',
  'reap',
  'answer',
  'accept',
  'refuse',
  'stumble',
  'markUnknown',
  'unreached',
  'restore',
  'late result',
  'late id',
  'resolve',
  'cancel',
  'retry',
  'adjustCost',
]

const anyWorld: fc.Arbitrary<World> = fc.record({
  parts: fc.integer({ min: 1, max: 3 }),
  maxCharges: fc.integer({ min: 1, max: 3 }),
  policy: fc.constantFrom('HOLD', 'RESEND'),
  heldMicros: fc.constantFrom(HELD, null),
})

// What takes a task forward comes up more often, so that most sequences get far.
const anyStep: fc.Arbitrary<Step> = fc.record({
  does: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom<Step['does']>('claim', 'send') },
    { weight: 3, arbitrary: fc.constantFrom(...STEPS) },
  ),
  which: fc.nat(8),
  charges: fc.boolean(),
})

it('never charges in the dark, sends twice on one permit or closes its books twice, in 100,000 random lives', () => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(anyWorld, fc.array(anyStep, { minLength: 6, maxLength: 40 }), (world, steps) => {
      const wrong = violation(world, steps, reached)
      if (wrong) throw new Error(wrong)
    }),
    { numRuns: 100_000 },
  )
  // Every arrow there is was taken, or the lives were not random enough.
  expect([...reached].toSorted()).toEqual(
    Object.keys(TRANSITIONS)
      .filter((trigger) => !['scheduleCheck', 'keepUnknown'].includes(trigger))
      .toSorted(),
  )
}, 120_000)
