import { describe, expect, it } from 'vitest'
import { formatExactMoney, formatMoney } from '../../dashboard/src/format/money.ts'
import { formatAge, formatDuration } from '../../dashboard/src/format/time.ts'

describe('money', () => {
  it.each([
    [12_410_000, '$12.41', '$12.410000'],
    [61_740, '$0.06174', '$0.061740'],
    [200_000, '$0.20', '$0.200000'],
    [0, '$0.00', '$0.000000'],
    [-61_740, '−$0.06174', '−$0.061740'],
    [null, 'unknown', 'unknown'],
  ])('of %s micro-USD is %s, exactly %s', (micros, text, exact) => {
    expect([formatMoney(micros), formatExactMoney(micros)]).toEqual([text, exact])
  })
})

describe('times', () => {
  it('are in the largest fitting unit', () => {
    expect([850, 4_200, 185_000, 8_040_000].map(formatDuration)).toEqual([
      '850 ms',
      '4.2 s',
      '3 min 05 s',
      '2 h 14 min',
    ])
    const now = Date.parse('2026-11-30T12:00:00Z')
    const ages = ['2026-11-30T11:59:58Z', '2026-11-30T11:55:00Z', '2026-11-30T09:00:00Z']
    expect(ages.map((at) => formatAge(at, now))).toEqual(['just now', '5 min ago', '3 h ago'])
  })
})
