import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countDecimals, formatDecimalUsd, formatUsd, parseUsd } from '../src/money.ts'

const safeMicros = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -2_000_000, max: 2_000_000 }),
  fc.constantFrom(0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)

describe('an amount', () => {
  it.each([
    [0n, '$0.00', '0.000000'],
    [1n, '$0.000001', '0.000001'],
    [31_740, '$0.03174', '0.031740'],
    [100_000n, '$0.10', '0.100000'],
    [1_000_000, '$1.00', '1.000000'],
    [1_230_450_000n, '$1,230.45', '1230.450000'],
    // Beyond the precision of a floating-point number.
    [9_007_199_254_740_993n, '$9,007,199,254.740993', '9007199254.740993'],
    [-250_000, '-$0.25', '-0.250000'],
  ])('of %s micro-USD is %s for people and %s for programs', (micros, forPeople, forPrograms) => {
    expect(formatUsd(micros)).toBe(forPeople)
    expect(formatDecimalUsd(micros)).toBe(forPrograms)
  })

  it('shows as many decimals as a column of amounts needs', () => {
    expect(countDecimals([])).toBe(2)
    expect(countDecimals([1_000_000, -500_000])).toBe(2)
    expect(countDecimals([1_000_000, 61_740])).toBe(5)
    expect(countDecimals([1n])).toBe(6)
    expect(formatUsd(1_000_000, countDecimals([1_000_000, 61_740]))).toBe('$1.00000')
  })

  it('is refused if it has a fraction of a micro-USD', () => {
    expect(() => formatUsd(0.5)).toThrow(RangeError)
    expect(() => formatDecimalUsd(Number.NaN)).toThrow(RangeError)
  })

  it('is parsed back exactly as it was formatted, for all safe integers', () => {
    fc.assert(
      fc.property(safeMicros, fc.integer({ min: 2, max: 6 }), (micros, decimals) => {
        // fast-check also generates minus zero, which is formatted as zero.
        expect(parseUsd(formatUsd(micros, decimals))).toBe(micros === 0 ? 0 : micros)
        expect(parseUsd(formatDecimalUsd(BigInt(micros)))).toBe(micros === 0 ? 0 : micros)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is formatted exactly beyond safe integers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (micros) => {
        expect(BigInt(formatDecimalUsd(micros).replace('.', ''))).toBe(micros)
        expect(formatUsd(micros, 6).replaceAll(/[$,]/g, '')).toBe(formatDecimalUsd(micros))
      }),
    )
  })
})

describe('a typed amount', () => {
  it.each([
    ['250', 250_000_000],
    ['$250', 250_000_000],
    ['0.5', 500_000],
    ['0.000001', 1],
    ['-0.25', -250_000],
    ['-$1,230.45', -1_230_450_000],
    ['-0', 0],
    ['9007199254.740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %s micro-USD', (text, micros) => {
    expect(parseUsd(text)).toBe(micros)
  })

  it.each([
    '',
    '$',
    '.5',
    '1.',
    '5 EUR',
    '1e3',
    '0x10',
    ' 1',
    '--1',
    '$-1',
    '0.0000001',
    '1,23',
    '1,5',
    '0,500',
    '12,34,567',
    '1,234,56.00',
    '９',
    '9007199254.740992',
    '99999999999999999999',
    'Infinity',
  ])('%j is invalid', (text) => {
    expect(parseUsd(text)).toBeUndefined()
  })
})
