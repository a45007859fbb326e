import { describe, expect, it } from 'vitest'
import { readAmounts } from '../../dashboard/src/review/amounts.ts'
import { effectOf, sumOf } from '../../dashboard/src/review/effect.ts'

const held = (heldMicros: number | null, estimatedMicros: number | null = null) => ({
  heldMicros,
  estimatedMicros,
})

describe('the effect of a decision', () => {
  it('sums integers, the estimate before the held amount, and counts those without either', () => {
    expect(sumOf([held(94_001), held(94_002, 50_000), held(null)])).toEqual({ micros: 144_001, unpriced: 1 })
  })

  it.each([
    ['NOT_CHARGED', 'OUTCOME_UNKNOWN', Array(12).fill(held(94_000)), 'Runs 12 tasks again: up to $1.13.'],
    ['NOT_CHARGED', 'OUTCOME_UNKNOWN', [held(94_000)], 'Runs the task again: up to $0.094.'],
    ['NOT_CHARGED', 'OUTCOME_UNKNOWN', [held(null)], 'Runs the task again: the amount is unknown.'],
    [
      'NOT_CHARGED',
      'OUTCOME_UNKNOWN',
      [held(94_000), held(null)],
      'Runs 2 tasks again: up to $0.094, and 1 without a known price.',
    ],
    [
      'CHARGED_RESULT_LOST',
      'OUTCOME_UNKNOWN',
      [held(1), held(2)],
      'Ends 2 tasks as failed. Records $0.000003 as the cost.',
    ],
    ['NOT_CHARGED', 'COST_UNKNOWN', [held(1)], 'Records that it cost nothing. Held amounts are released.'],
    ['CHARGED_RESULT_LOST', 'COST_ESTIMATED', [held(2, 7)], 'Records $0.000007 as the cost.'],
  ] as const)('%s of %s is told before it is recorded: %#', (resolution, reason, attempts, text) => {
    expect(effectOf(resolution, reason, attempts)).toBe(text)
  })
})

it('only typed texts that are amounts are saved', () => {
  const { costs, invalid } = readAmounts(
    new Map([
      ['att_1', '0.04'],
      ['att_2', 'four'],
      ['att_3', '0'],
    ]),
  )
  expect([[...costs], invalid]).toEqual([
    [
      ['att_1', 40_000],
      ['att_3', 0],
    ],
    1,
  ])
})
