// What the Usage page computes: addresses, ranges, periods, stacks and scales.
import { array, assert, constantFrom, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UsageGroup } from '../../dashboard/src/api/generated.ts'
import { formatMoney, parseMoney } from '../../dashboard/src/format/money.ts'
import { periodName, periodsOf, shift, startOf, type Unit } from '../../dashboard/src/format/zone.ts'
import { csvPathOf, questionOf, variablesOf } from '../../dashboard/src/usage/question.ts'
import { barAt, labelEvery, ticksFor } from '../../dashboard/src/usage/scale.ts'
import { MAX_SERIES, stackRows } from '../../dashboard/src/usage/series.ts'
import { readUsageSearch } from '../../dashboard/src/usage/usage-search.ts'
import { readReviewSearch } from '../../dashboard/src/review/review-search.ts'
import { findZone, periodOf } from '../../src/engine/usage/time-zone.ts'

const NOW = Date.parse('2026-11-30T12:34:56Z')

describe('the address', () => {
  it('keeps valid values, leaves out defaults, and ignores the others', () => {
    const given = {
      range: '7d',
      by: 'week',
      split: 'user',
      tz: 'Mars/Base',
      measure: 'tokens',
      provider: 'a,b',
    }
    expect(readUsageSearch(given)).toEqual({ split: 'user', measure: 'tokens', provider: ['a', 'b'] })
    expect(readUsageSearch({ split: 'metadata' })).toEqual({})
    expect(readUsageSearch({ from: '2026-11-02', to: '2026-11-01', range: '24h' })).toEqual({ range: '24h' })
    expect(readReviewSearch({ reason: 'COST_UNKNOWN', attempt: 'task_1' })).toEqual({
      reason: 'COST_UNKNOWN',
    })
  })

  it('is read back as it was written', () => {
    const search = readUsageSearch({
      from: '2026-11-01',
      to: '2026-11-03',
      split: 'metadata',
      metadataKey: 'team',
      tz: 'Asia/Tokyo',
      all: '1',
      status: ['FAILED', 'SUCCEEDED'],
    })
    const text = Object.fromEntries(Object.entries(search).map(([name, value]) => [name, String(value)]))
    expect(readUsageSearch(text)).toEqual(search)
  })
})

const unit = (search: object) => questionOf(readUsageSearch({ ...search }), NOW, 'UTC').unit

describe('the question', () => {
  it('begins at whole periods of the time zone, and asks for CSV and report alike', () => {
    const search = readUsageSearch({ range: '7d', split: 'metadata', metadataKey: 'team', model: 'a,b' })
    const question = questionOf(search, NOW, 'Europe/Berlin')
    expect(question).toMatchObject({ to: null, unit: 'DAY' })
    const { from, groupBy, filter, metadataKey } = variablesOf(question)
    expect([from, groupBy, filter, metadataKey]).toEqual([
      '2026-11-23T23:00:00.000Z',
      ['DAY', 'METADATA'],
      { models: ['a', 'b'] },
      'team',
    ])
    const [path, query] = csvPathOf(question, search, '2026-11-30T12:00:00Z').split('?')
    expect(path).toBe('usage.csv')
    expect([...new URLSearchParams(query)]).toEqual([
      ['from', from],
      ['to', '2026-11-30T12:00:00Z'],
      ['groupBy', 'day,metadata.team'],
      ['timeZone', 'Europe/Berlin'],
      ['model', 'a'],
      ['model', 'b'],
    ])
  })

  it('has a unit whose bars can be read', () => {
    expect([unit({ range: '24h' }), unit({ range: '30d' }), unit({ range: '12m' })]).toEqual([
      'HOUR',
      'DAY',
      'MONTH',
    ])
    expect(unit({ range: '12m', by: 'hour' })).toBe('MONTH')
    expect(unit({ range: '24h', by: 'day' })).toBe('DAY')
  })
})

describe('periods', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  ]

  it('start where those of the server start', () => {
    assert(
      property(
        integer({ min: Date.UTC(2024, 0), max: Date.UTC(2028, 0) }),
        constantFrom<Unit>('HOUR', 'DAY', 'MONTH'),
        constantFrom(...zones),
        (at, size, timeZone) => {
          const period = periodOf(findZone(timeZone)!, size, at)
          expect(startOf(size, at, timeZone)).toBe(period.startsAt)
          const next = size === 'HOUR' ? at + 3_600_000 : shift(size, period.startsAt, 1, timeZone)
          expect(periodOf(findZone(timeZone)!, size, next).startsAt).toBe(startOf(size, next, timeZone))
          expect(next).toBeGreaterThanOrEqual(period.endsAt)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('of the day when clocks change have 25 hours', () => {
    const from = Date.parse('2026-10-25T00:00:00+02:00')
    const to = Date.parse('2026-10-26T00:00:00+01:00')
    const starts = periodsOf('HOUR', { from, to, timeZone: 'Europe/Berlin' })
    expect(starts.length).toBe(25)
    expect(starts.slice(2, 4).map((at) => periodName('HOUR', at, 'Europe/Berlin'))).toEqual([
      '02:00',
      '02:00',
    ])
    expect(periodsOf('DAY', { from, to, timeZone: 'Europe/Berlin' })).toEqual([from])
  })
})

function row(day: string, model: string, costMicros: number | null, heldMicros = 0): UsageGroup {
  const none = {
    hour: null,
    month: null,
    provider: null,
    apiKeyId: null,
    projectId: null,
    user: null,
    operation: null,
  }
  const rest = { quality: null, size: null, status: null, metadata: null, tasks: 1, attempts: 1, images: 1 }
  const sums = { estimatedCostMicros: 0, totalTokens: null, attemptsWithUnknownUsage: 1 }
  return {
    ...none,
    ...rest,
    ...sums,
    day: { label: day, startsAt: `${day}T00:00:00Z`, endsAt: '' },
    model,
    costMicros,
    heldMicros,
    attemptsWithUnknownCost: costMicros === null ? 1 : 0,
  }
}

describe('stacks', () => {
  const starts = [Date.parse('2026-11-01'), Date.parse('2026-11-02'), Date.parse('2026-11-03')]
  const stack = (rows: UsageGroup[]) =>
    stackRows(rows, { unit: 'DAY', split: 'MODEL', measure: 'cost', starts, end: Date.parse('2026-11-04') })

  it('are integer sums, largest series at the bottom, with empty periods and held amounts', () => {
    const { series, stacks, max } = stack([
      row('2026-11-01', 'small', 100_001),
      row('2026-11-01', 'large', 200_002),
      row('2026-11-03', 'large', 1),
      row('2026-11-03', 'free of a price', null, 500_000),
    ])
    expect(series.map(({ value, total }) => [value, total])).toEqual([
      ['large', 200_003],
      ['small', 100_001],
      ['free of a price', null],
    ])
    expect(stacks.map(({ total, held, unknown }) => [total, held, unknown])).toEqual([
      [300_003, 0, 0],
      [0, 0, 0],
      [1, 500_000, 1],
    ])
    expect(stacks[0]!.segments).toEqual([
      { series: 0, value: 200_002, base: 0 },
      { series: 1, value: 100_001, base: 200_002 },
    ])
    expect([stacks[2]!.end, max]).toEqual([Date.parse('2026-11-04'), 500_001])
  })

  it('have at most eight series and "other", and lose nothing', () => {
    const amounts = array(integer({ min: 0, max: 10 ** 12 }), { minLength: 1, maxLength: 30 })
    assert(
      property(amounts, (micros) => {
        const { series, stacks } = stack(micros.map((one, index) => row('2026-11-02', `model-${index}`, one)))
        expect(series.length).toBe(Math.min(micros.length, MAX_SERIES + 1))
        const sum = micros.reduce((total, one) => total + one, 0)
        expect(stacks[1]!.total).toBe(sum)
        expect(series.reduce((total, one) => total + (one.total ?? 0), 0)).toBe(sum)
      }),
    )
  })
})

describe('scales', () => {
  it('have few whole steps, and reach the largest value', () => {
    expect(ticksFor(1_270_000)).toEqual({ ticks: [0, 500_000, 1_000_000, 1_500_000], top: 1_500_000 })
    expect(ticksFor(3).ticks).toEqual([0, 1, 2, 3])
    assert(
      property(integer({ min: 1, max: 10 ** 15 }), (max) => {
        const { ticks, top } = ticksFor(max)
        expect(top).toBeGreaterThanOrEqual(max)
        expect(ticks.length).toBeLessThanOrEqual(6)
        expect(ticks.every(Number.isInteger)).toBe(true)
      }),
    )
  })

  it('find the bar below a pointer, and the labels that fit', () => {
    expect([barAt(-5, 300, 3), barAt(150, 300, 3), barAt(999, 300, 3)]).toEqual([0, 1, 2])
    expect([labelEvery(7, 700, 60), labelEvery(30, 300, 60)]).toEqual([1, 6])
  })
})

describe('typed amounts', () => {
  it('are micro-USD without rounding', () => {
    expect(['0.06174', '$1,234.5', ' 12 ', '.5', '0'].map(parseMoney)).toEqual([
      61_740, 1_234_500_000, 12_000_000, 500_000, 0,
    ])
    expect(['', '.', '1.2345678', '-1', '1e3', '1,23', 'free'].map(parseMoney)).toEqual(
      Array(7).fill(undefined),
    )
    assert(
      property(integer({ min: 0, max: 999_999 }), (micros) => {
        expect(parseMoney(formatMoney(micros))).toBe(micros)
      }),
    )
  })
})
