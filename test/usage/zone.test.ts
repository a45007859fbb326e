import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import {
  findZone,
  localTime,
  listOffsets,
  momentOf,
  periodOf,
  type Unit,
} from '../../src/engine/usage/time-zone.ts'

const at = (text: string) => Date.parse(text)
const hours = (zone: string, unit: Unit, moment: string) => {
  const { startsAt, endsAt, label } = periodOf(findZone(zone)!, unit, at(moment))
  return { startsAt: new Date(startsAt).toISOString(), hours: (endsAt - startsAt) / 3_600_000, label }
}

describe('a day', () => {
  it.each([
    ['UTC', '2026-11-20T23:59:59.999Z', '2026-11-20T00:00:00.000Z', 24, '2026-11-20'],
    ['Europe/Berlin', '2026-11-20T23:30:00Z', '2026-11-20T23:00:00.000Z', 24, '2026-11-21'],
    ['Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00.000Z', 23, '2026-03-29'],
    ['Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00.000Z', 25, '2026-10-25'],
    ['Asia/Kolkata', '2026-11-20T18:29:00Z', '2026-11-19T18:30:00.000Z', 24, '2026-11-20'],
    ['Asia/Kathmandu', '2026-11-20T18:15:00Z', '2026-11-20T18:15:00.000Z', 24, '2026-11-21'],
    ['Australia/Lord_Howe', '2026-10-04T12:00:00Z', '2026-10-03T13:30:00.000Z', 23.5, '2026-10-04'],
    // Clocks go from 24:00 to 1:00: there is no midnight.
    ['Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00.000Z', 23, '2026-04-24'],
    // Clocks go from 24:00 back to 23:00: midnight occurs once, an hour later.
    ['Africa/Cairo', '2026-10-29T12:00:00Z', '2026-10-28T21:00:00.000Z', 25, '2026-10-29'],
    ['America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z', 25, '2026-11-01'],
    ['Australia/Lord_Howe', '2026-04-05T12:00:00Z', '2026-04-04T13:00:00.000Z', 24.5, '2026-04-05'],
    // Samoa crossed the date line: the 30th does not exist.
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29T10:00:00.000Z', 24, '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00.000Z', 24, '2011-12-31'],
    // Nepal went from +05:30 to +05:45 at midnight.
    ['Asia/Kathmandu', '1986-01-01T12:00:00Z', '1985-12-31T18:30:00.000Z', 23.75, '1986-01-01'],
    // Clocks went from 0:00 to 1:00 in Brazil: there was no midnight.
    ['America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00.000Z', 23, '2018-11-04'],
    ['+05:45', '2026-11-20T18:15:00Z', '2026-11-20T18:15:00.000Z', 24, '2026-11-21'],
  ] as const)('in %s at %s begins at %s and has %d hours', (zone, moment, startsAt, length, label) => {
    expect(hours(zone, 'DAY', moment)).toEqual({ startsAt, hours: length, label })
  })
})

describe('an hour', () => {
  it('that is repeated counts as two', () => {
    expect(hours('Europe/Berlin', 'HOUR', '2026-10-25T00:30:00Z').label).toBe('2026-10-25T02:00+02:00')
    expect(hours('Europe/Berlin', 'HOUR', '2026-10-25T01:30:00Z').label).toBe('2026-10-25T02:00+01:00')
  })

  it('begins at half past in a zone with an offset of half an hour', () => {
    expect(hours('Asia/Kolkata', 'HOUR', '2026-11-20T10:10:00Z')).toEqual({
      startsAt: '2026-11-20T09:30:00.000Z',
      hours: 1,
      label: '2026-11-20T15:00+05:30',
    })
  })

  it('ends at a clock change', () => {
    expect(hours('Australia/Lord_Howe', 'HOUR', '2026-10-03T15:45:00Z')).toEqual({
      startsAt: '2026-10-03T15:30:00.000Z',
      hours: 0.5,
      label: '2026-10-04T02:30+11:00',
    })
  })
})

describe('an hour with a clock change', () => {
  it.each([
    // Half an hour is skipped: 2:00 to 2:30.
    ['Australia/Lord_Howe', '2026-10-03T15:29:59Z', '2026-10-03T14:30:00.000Z', 1, '2026-10-04T01:00+10:30'],
    [
      'Australia/Lord_Howe',
      '2026-10-03T15:30:00Z',
      '2026-10-03T15:30:00.000Z',
      0.5,
      '2026-10-04T02:30+11:00',
    ],
    // Half an hour is repeated: 1:30 to 2:00.
    ['Australia/Lord_Howe', '2026-04-04T14:59:59Z', '2026-04-04T14:00:00.000Z', 1, '2026-04-05T01:00+11:00'],
    [
      'Australia/Lord_Howe',
      '2026-04-04T15:00:00Z',
      '2026-04-04T15:00:00.000Z',
      0.5,
      '2026-04-05T01:30+10:30',
    ],
    // A quarter hour is skipped: 0:00 to 0:15.
    ['Asia/Kathmandu', '1985-12-31T18:30:00Z', '1985-12-31T18:30:00.000Z', 0.75, '1986-01-01T00:15+05:45'],
    ['Asia/Kathmandu', '1985-12-31T18:29:59Z', '1985-12-31T17:30:00.000Z', 1, '1985-12-31T23:00+05:30'],
    // Clocks went back from 0:01 to 23:01 of the day before.
    [
      'America/St_Johns',
      '2010-11-07T02:30:59Z',
      '2010-11-07T02:30:00.000Z',
      1 / 60,
      '2010-11-07T00:00-02:30',
    ],
    [
      'America/St_Johns',
      '2010-11-07T02:31:00Z',
      '2010-11-07T02:31:00.000Z',
      59 / 60,
      '2010-11-06T23:01-03:30',
    ],
    // The last offset with seconds.
    ['Africa/Monrovia', '1972-01-07T00:44:29Z', '1972-01-06T23:44:30.000Z', 1, '1972-01-06T23:00-00:44'],
    ['Africa/Monrovia', '1972-01-07T00:44:30Z', '1972-01-07T00:44:30.000Z', 15.5 / 60, '1972-01-07T00:44Z'],
  ] as const)('in %s at %s begins at %s and has %d hours', (zone, moment, startsAt, length, label) => {
    expect(hours(zone, 'HOUR', moment)).toEqual({ startsAt, hours: length, label })
  })
})

describe('a month', () => {
  it('has an hour more or less with a clock change', () => {
    expect(hours('Europe/Berlin', 'MONTH', '2026-10-31T22:59:00Z')).toEqual({
      startsAt: '2026-09-30T22:00:00.000Z',
      hours: 31 * 24 + 1,
      label: '2026-10',
    })
    expect(hours('UTC', 'MONTH', '2028-02-29T00:00:00Z').hours).toBe(29 * 24)
    expect(hours('Pacific/Apia', 'MONTH', '2011-12-31T00:00:00Z')).toEqual({
      startsAt: '2011-12-01T10:00:00.000Z',
      hours: 30 * 24,
      label: '2011-12',
    })
  })
})

describe('a time zone', () => {
  it('is found only by its name or its offset', () => {
    expect(findZone('Europe/Berlin')).toBe('Europe/Berlin')
    expect(findZone('europe/berlin')).toBe('Europe/Berlin')
    expect(findZone('UTC')).toBe('UTC')
    expect(findZone('+05:45')).toBe('+05:45')
    for (const name of ['Europe/Berlni', '', ' UTC', 'Z', 'Mars', '+25:00', '2026-01-01T00:00Z[UTC]'])
      expect([name, findZone(name)]).toEqual([name, undefined])
  })

  it('has a local time', () => {
    expect(localTime('America/Argentina/Buenos_Aires', at('2026-01-01T00:00:00Z'))).toBe(
      '2025-12-31T21:00:00',
    )
    expect(localTime('Pacific/Apia', at('2011-12-30T10:00:00Z'))).toBe('2011-12-31T00:00:00')
  })

  it('is divided into ranges at each clock change, to the millisecond', () => {
    const [from, to] = [at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z')]
    const ranges = listOffsets('Europe/Berlin', from, to)
    expect(
      ranges.map(({ from: begin, offsetMs }) => [new Date(begin).toISOString(), offsetMs / 3_600_000]),
    ).toEqual([
      ['2026-01-01T00:00:00.000Z', 1],
      ['2026-03-29T01:00:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 1],
    ])
    expect(ranges.at(-1)!.to).toBe(to)
    for (const [zone, offset] of Object.entries({ 'Asia/Kolkata': 5.5, UTC: 0, '-03:30': -3.5 }))
      expect(listOffsets(zone, from, to)).toEqual([{ from, to, offsetMs: offset * 3_600_000 }])
  })

  it('is divided at two changes within weeks, and not at the edges of the range', () => {
    // Morocco goes back to UTC for Ramadan.
    const [from, to] = [at('2026-02-15T02:00:00Z'), at('2026-03-22T02:00:00Z')]
    const hour = 3_600_000
    expect(listOffsets('Africa/Casablanca', from - hour, to + hour)).toEqual([
      { from: from - hour, to: from, offsetMs: hour },
      { from, to, offsetMs: 0 },
      { from: to, to: to + hour, offsetMs: hour },
    ])
    expect(listOffsets('Africa/Casablanca', from, to)).toEqual([{ from, to, offsetMs: 0 }])
  })

  it.each([
    // Skipped local time: the time of the change.
    ['Europe/Berlin', '2026-03-29T02:30:00Z', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-03-29T02:00:00Z', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-03-29T03:00:00Z', '2026-03-29T01:00:00Z'],
    ['Pacific/Apia', '2011-12-30T00:00:00Z', '2011-12-30T10:00:00Z'],
    ['Pacific/Apia', '2011-12-30T23:59:59Z', '2011-12-30T10:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-04T02:15:00Z', '2026-10-03T15:30:00Z'],
    ['America/Sao_Paulo', '2018-11-04T00:00:00Z', '2018-11-04T03:00:00Z'],
    // Repeated local time: the first of the two.
    ['Europe/Berlin', '2026-10-25T02:30:00Z', '2026-10-25T00:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00Z', '2026-04-04T14:45:00Z'],
    ['America/New_York', '2026-11-01T01:00:00Z', '2026-11-01T05:00:00Z'],
    // Unique local time.
    ['Asia/Kathmandu', '2026-07-01T00:00:00Z', '2026-06-30T18:15:00Z'],
    ['UTC', '2026-03-29T02:30:00Z', '2026-03-29T02:30:00Z'],
  ])('%s has the local time %s at %s', (zone, local, moment) => {
    expect(new Date(momentOf(zone, at(local))).toISOString()).toBe(new Date(moment).toISOString())
  })
})

describe('without Temporal, as on Node 24', () => {
  it('every period and offset is the same', () => {
    const zones = [
      'Europe/Berlin',
      'Africa/Cairo',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Asia/Kathmandu',
      'UTC',
    ]
    const moments = [
      '1985-12-31T18:45:00Z',
      '2011-12-30T10:30:00Z',
      '2026-03-29T01:30:00Z',
      '2026-10-25T01:30:00Z',
    ]
    const units: Unit[] = ['HOUR', 'DAY', 'MONTH']
    const cases = zones.flatMap((zone) => moments.map((moment) => [zone, at(moment)] as const))
    const script = `
      import { listOffsets, momentOf, periodOf } from './src/engine/usage/time-zone.ts'
      const cases = ${JSON.stringify(cases)}
      const results = cases.map(([zone, at]) => [
        ${JSON.stringify(units)}.map((unit) => periodOf(zone, unit, at)),
        momentOf(zone, at),
        listOffsets(zone, at, at + 366 * 86_400_000),
      ])
      console.log(JSON.stringify({ temporal: typeof globalThis.Temporal, results }))`
    const output = execFileSync(
      process.execPath,
      ['--no-harmony-temporal', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    )
    expect(JSON.parse(output)).toEqual({
      temporal: 'undefined',
      results: cases.map(([zone, moment]) => [
        units.map((unit) => periodOf(zone, unit, moment)),
        momentOf(zone, moment),
        listOffsets(zone, moment, moment + 366 * 86_400_000),
      ]),
    })
  })
})
