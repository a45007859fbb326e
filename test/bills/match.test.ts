import { describe, expect, it } from 'vitest'
import type { BillableAttempt } from '../../src/db/attempts/billing.ts'
import type { NumberedLine } from '../../src/engine/bills/bill.ts'
import { matchLines } from '../../src/engine/bills/match.ts'

const NOON = Date.UTC(2026, 10, 20, 12)

function attempt(id: string, more: Partial<BillableAttempt> = {}): BillableAttempt {
  return {
    id,
    projectId: 'prj_1',
    taskId: 'task_1',
    state: 'SUCCEEDED',
    charged: 'YES',
    costMicros: 500,
    estimatedMicros: null,
    heldMicros: 900,
    chargePolicy: null,
    providerRequestId: `req-${id}`,
    remoteId: `job-${id}`,
    createdAt: NOON,
    sentAt: NOON,
    finishedAt: NOON + 20_000,
    ...more,
  }
}

function unknown(id: string): BillableAttempt {
  return attempt(id, { costMicros: null, charged: 'UNKNOWN', state: 'FAILED' })
}

function line(number: number, more: Partial<NumberedLine> = {}): NumberedLine {
  const ids = { attemptId: null, requestId: null, remoteId: null }
  return { number, amountMicros: 500, at: null, ...ids, ...more }
}

function match(lines: NumberedLine[], attempts: BillableAttempt[]) {
  const { byAttempt, unmatched } = matchLines(lines, attempts)
  const found = [...byAttempt.values()].map((one) => [
    one.attempt.id,
    one.matchedBy,
    one.lines.map(({ number }) => number),
  ])
  return { found, unmatched: unmatched.map(({ number }) => number) }
}

describe('the lines of a bill', () => {
  it('match by each kind of id, and several lines of one attempt together', () => {
    const lines = [
      line(1, { attemptId: 'a' }),
      line(2, { requestId: 'req-b' }),
      line(3, { remoteId: 'job-c' }),
      line(4, { remoteId: 'job-a' }),
    ]
    expect(match(lines, [attempt('a'), attempt('b'), attempt('c')])).toEqual({
      found: [
        ['a', 'ATTEMPT_ID', [1, 4]],
        ['b', 'REQUEST_ID', [2]],
        ['c', 'REMOTE_ID', [3]],
      ],
      unmatched: [],
    })
  })

  it('never match by time when they have an id that is not ours', () => {
    expect(match([line(1, { requestId: 'req-x', at: NOON })], [attempt('a')])).toEqual({
      found: [],
      unmatched: [1],
    })
  })

  it('match an attempt of exactly this cost, the nearest in time first, each once', () => {
    const near = attempt('near', { sentAt: NOON + 30_000, finishedAt: NOON + 60_000 })
    const lines = [
      line(1, { at: NOON + 31_000 }),
      line(2, { at: NOON + 32_000 }),
      line(3, { at: NOON + 33_000 }),
    ]
    expect(match(lines, [attempt('far'), near])).toEqual({
      found: [
        ['near', 'TIME_AND_AMOUNT', [1]],
        ['far', 'TIME_AND_AMOUNT', [2]],
      ],
      unmatched: [3],
    })
  })

  it('match an unknown cost only when line and attempt are the only candidate of each other', () => {
    const at = NOON + 1_000
    expect(match([line(1, { at })], [unknown('a')])).toMatchObject({ found: [['a', 'TIME_AND_AMOUNT', [1]]] })
    expect(match([line(1, { at })], [unknown('a'), unknown('b')])).toEqual({ found: [], unmatched: [1] })
    expect(match([line(1, { at }), line(2, { at, amountMicros: 400 })], [unknown('a')])).toEqual({
      found: [],
      unmatched: [1, 2],
    })
  })

  it.each([
    ['above the held amount', { at: NOON, amountMicros: 901 }, {}],
    ['of another time', { at: NOON - 61_000 }, {}],
    [
      'of an attempt that the provider refused free of charge',
      { at: NOON },
      { charged: 'NO', state: 'REJECTED' },
    ],
  ] as const)('do not match an unknown cost %s', (_, of, more) => {
    expect(match([line(1, of)], [{ ...unknown('a'), ...more }])).toEqual({ found: [], unmatched: [1] })
  })

  it('match what only the configuration declared free of charge', () => {
    const decided = attempt('a', {
      costMicros: null,
      charged: 'NO',
      state: 'REJECTED',
      chargePolicy: 'TIMEOUT',
    })
    expect(match([line(1, { at: NOON })], [decided])).toMatchObject({
      found: [['a', 'TIME_AND_AMOUNT', [1]]],
    })
  })
})
