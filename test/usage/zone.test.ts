import { describe, expect, it } from 'vitest'
import { findZone, listStretches, momentOf, periodOf, type Unit } from '../../src/engine/usage/time-zone.ts'

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
    // Clocks go from 24:00 back to 23:00: midnight comes once, an hour later.
    ['Africa/Cairo', '2026-10-29T12:00:00Z', '2026-10-28T21:00:00.000Z', 25, '2026-10-29'],
    ['America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z', 25, '2026-11-01'],
  ] as const)('in %s at %s begins at %s and has %d hours', (zone, moment, startsAt, length, label) => {
    expect(hours(zone, 'DAY', moment)).toEqual({ startsAt, hours: length, label })
  })
})

describe('an hour', () => {
  it('that comes twice is two', () => {
    expect(hours('Europe/Berlin', 'HOUR', '2026-10-25T00:30:00Z').label).toBe('2026-10-25T02:00+02:00')
    expect(hours('Europe/Berlin', 'HOUR', '2026-10-25T01:30:00Z').label).toBe('2026-10-25T02:00+01:00')
  })

  it('begins at the half where the zone does', () => {
    expect(hours('Asia/Kolkata', 'HOUR', '2026-11-20T10:10:00Z')).toEqual({
      startsAt: '2026-11-20T09:30:00.000Z',
      hours: 1,
      label: '2026-11-20T15:00+05:30',
    })
  })

  it('is cut where clocks are changed within it', () => {
    expect(hours('Australia/Lord_Howe', 'HOUR', '2026-10-03T15:45:00Z')).toEqual({
      startsAt: '2026-10-03T15:30:00.000Z',
      hours: 0.5,
      label: '2026-10-04T02:30+11:00',
    })
  })
})

describe('a month', () => {
  it('has an hour more or less where clocks are changed in it', () => {
    expect(hours('Europe/Berlin', 'MONTH', '2026-10-31T22:59:00Z')).toEqual({
      startsAt: '2026-09-30T22:00:00.000Z',
      hours: 31 * 24 + 1,
      label: '2026-10',
    })
    expect(hours('UTC', 'MONTH', '2028-02-29T00:00:00Z').hours).toBe(29 * 24)
  })
})

describe('a zone', () => {
  it('is found by its name only', () => {
    expect(findZone('Europe/Berlni')).toBeUndefined()
    expect(findZone('')).toBeUndefined()
    expect(findZone('America/Argentina/Buenos_Aires')?.offsetAt(at('2026-01-01T00:00:00Z'))).toBe(
      -3 * 3_600_000,
    )
  })

  it('is cut into stretches at each change, to the millisecond', () => {
    const [from, to] = [at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z')]
    const stretches = listStretches(findZone('Europe/Berlin')!, from, to)
    expect(
      stretches.map(({ from: begin, offsetMs }) => [new Date(begin).toISOString(), offsetMs / 3_600_000]),
    ).toEqual([
      ['2026-01-01T00:00:00.000Z', 1],
      ['2026-03-29T01:00:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 1],
    ])
    expect(stretches.at(-1)!.to).toBe(to)
    expect(listStretches(findZone('Asia/Kolkata')!, from, to)).toEqual([
      { from, to, offsetMs: 5.5 * 3_600_000 },
    ])
  })

  it('shows a time that is left out at the moment of the change', () => {
    const berlin = findZone('Europe/Berlin')!
    expect(momentOf(berlin, at('2026-03-29T02:30:00Z'))).toBe(at('2026-03-29T01:00:00Z'))
    // The first of two.
    expect(momentOf(berlin, at('2026-10-25T02:30:00Z'))).toBe(at('2026-10-25T00:30:00Z'))
  })
})
