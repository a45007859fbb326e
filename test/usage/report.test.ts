import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/connection/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { USAGE_COUNTS, type UsageCounts } from '../../src/db/money/usage.ts'
import { USAGE_DIMENSIONS, type UsageDimension, type UsageQuery } from '../../src/engine/usage/query.ts'
import { reportUsage } from '../../src/engine/usage/report.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { expectedReport, namedRows, storeAttempts, type Stored } from './attempts.ts'

const SEED = process.env['TEST_SEED'] ?? '2026'
const [FROM, TO] = [Date.UTC(2026, 8, 20), Date.UTC(2026, 10, 15)]
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Auckland',
]

const ONE_OF_EACH = Object.fromEntries(USAGE_COUNTS.map((count) => [count, 1])) as UsageCounts

function queryOf(more: Partial<UsageQuery> = {}): UsageQuery {
  return {
    projectId: DEFAULT_PROJECT,
    from: FROM,
    to: TO,
    groupBy: [],
    filter: {},
    timeZone: 'UTC',
    metadataKey: null,
    ...more,
  }
}

const some = <T>(...values: T[]) =>
  fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined, freq: 1 })
const periods = fc
  .tuple(
    fc.integer({ min: FROM, max: TO }),
    fc.integer({ min: 1, max: TO - FROM }),
    fc.constantFrom(1, 1, 900_000, 86_400_000),
  )
  .map(([from, length, unit]) => {
    const begin = Math.floor(from / unit) * unit
    return { from: begin, to: begin + Math.ceil(length / unit) * unit }
  })
const filters = fc.record({
  providers: some('openai', 'jimmy', 'unknown'),
  models: some('gpt-image-2', 'gpt-image-1.5'),
  apiKeyIds: some('key_a', 'key_b'),
  users: some('ann', 'bob'),
  qualities: some('MEDIUM', 'LOW'),
  sizes: some('auto', '1024x1024'),
  operations: some('EDIT' as const),
  statuses: some('SUCCEEDED' as const, 'OUTCOME_UNKNOWN' as const),
  metadata: some({ key: 'team', value: 'blue' }, { key: 'cost.center', value: '7' }),
})
const PRECOMPUTED: UsageDimension[] = ['HOUR', 'DAY', 'MONTH', 'PROJECT', 'API_KEY', 'PROVIDER', 'MODEL']
const queries = fc
  .record({
    period: periods,
    // Most queries use dimensions with precomputed sums, so that every kind of read is tested.
    groupBy: fc.oneof(
      fc.shuffledSubarray(PRECOMPUTED, { maxLength: 3 }),
      fc.shuffledSubarray(PRECOMPUTED, { maxLength: 3 }),
      fc.shuffledSubarray([...USAGE_DIMENSIONS], { maxLength: 3 }),
    ),
    filter: fc.oneof(fc.constant({}), fc.constant({}), filters),
    timeZone: fc.constantFrom(...ZONES),
    projectId: fc.constantFrom(DEFAULT_PROJECT, DEFAULT_PROJECT, null),
  })
  .map(({ period, groupBy, filter, ...rest }) =>
    queryOf({
      ...period,
      ...rest,
      groupBy,
      filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
      metadataKey: groupBy.includes('METADATA') ? 'team' : null,
    }),
  )

describe.each(DATABASES)('a usage report on %s', (kind) => {
  let place: Place
  let db: Database
  let stored: Stored[]
  beforeAll(async () => {
    place = await newPlace(kind)
    db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    stored = await storeAttempts(db, SEED, { count: 600, from: FROM, to: TO })
  })
  afterAll(async () => {
    await db.close()
    await place.remove()
  })

  it(`equals the sum of the single attempts for any query (TEST_SEED=${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const { rows, totals } = await reportUsage(db.read, query, TO)
        const expected = expectedReport(stored, query)
        expect(totals).toEqual(expected.totals)
        expect(namedRows(rows)).toEqual(expected.rows)
      }),
      { numRuns: 120 },
    )
  })

  it('is the same from days, from quarter hours and from attempts', async () => {
    const groupBy = ['MONTH', 'PROVIDER', 'MODEL', 'API_KEY'] as const
    const from = (more: Partial<UsageQuery>) => reportUsage(db.read, queryOf({ groupBy, ...more }), TO)
    const days = await from({})
    // A quarter hour earlier and later: neither has an attempt.
    const quarters = await from({ from: FROM - 900_000, to: TO + 900_000 })
    const attempts = await from({ filter: { operations: ['GENERATE', 'EDIT'] } })
    expect(days.rows.length).toBeGreaterThan(30)
    expect(quarters.rows).toEqual(days.rows)
    expect(attempts.rows).toEqual(days.rows)
    expect([quarters.totals, attempts.totals]).toEqual([days.totals, days.totals])
  })

  it('orders its rows by its dimensions, and rows without a key last', async () => {
    const { rows } = await reportUsage(db.read, queryOf({ groupBy: ['API_KEY', 'DAY'] }), TO)
    const keys = rows.map(({ keys: { apiKeyId } }) => apiKeyId ?? '~')
    expect(keys).toEqual(keys.toSorted())
    expect(new Set(keys)).toEqual(new Set(['key_a', 'key_b', '~']))
    const days = rows.filter(({ keys: { apiKeyId } }) => apiKeyId === null).map(({ day }) => day!.startsAt)
    expect(days).toEqual(days.toSorted((a, b) => a - b))
  })

  it('without an end includes attempts that another process with a faster clock has counted', async () => {
    const now = stored[0]!.attempt.createdAt - 1
    const { to, totals } = await reportUsage(db.read, queryOf({ to: null }), now)
    expect(to).toBe(now)
    expect(totals).toEqual(
      expectedReport(stored, queryOf({ to: Math.floor(now / 86_400_000) * 86_400_000 + 2 * 86_400_000 }))
        .totals,
    )
  })

  it('of more than 10,000 rows is refused with the remedy', async () => {
    const many = Array.from({ length: 10_001 }, (_, nth) => `model-${nth}`)
    const at = Date.UTC(2020, 0)
    const of = { provider: 'many', projectId: DEFAULT_PROJECT, apiKeyId: '', startsAt: at, ...ONE_OF_EACH }
    await db.tx(async (q) => {
      for (let nth = 0; nth < many.length; nth += 500)
        await q.sql
          .insert(q.tables.usageDays)
          .values(
            many
              .slice(nth, nth + 500)
              .map((model) => ({ ...of, model, provider: model === 'model-7' ? 'one' : 'many' })),
          )
    })
    const then = { from: at, to: at + 86_400_000 }
    const tooMany = reportUsage(db.read, queryOf({ ...then, groupBy: ['MONTH', 'MODEL'] }), TO)
    await expect(tooMany).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'groupBy',
      message: expect.stringMatching(/by MONTH, MODEL.*more than 10000 rows.*shorter range/) as string,
    })
    const fewer = queryOf({ ...then, groupBy: ['MODEL'], filter: { providers: ['many'] } })
    expect((await reportUsage(db.read, fewer, TO)).rows).toHaveLength(10_000)
    const { rows, totals } = await reportUsage(db.read, queryOf({ ...then, groupBy: ['PROVIDER'] }), TO)
    expect([rows.length, totals.attempts]).toEqual([2, 10_001])
  })

  it('sums more quarter hours than it may have rows', async () => {
    const at = Date.UTC(2021, 0)
    const of = { provider: 'many', projectId: DEFAULT_PROJECT, apiKeyId: '', ...ONE_OF_EACH }
    await db.tx(async (q) => {
      for (let model = 0; model < 110; model++) {
        const quarters = Array.from({ length: 96 }, (_, nth) => ({
          ...of,
          model: `model-${model}`,
          startsAt: at + nth * 900_000,
        }))
        await q.sql.insert(q.tables.usageQuarterHours).values(quarters)
      }
    })
    const day = queryOf({
      from: at,
      to: at + 86_400_000,
      groupBy: ['DAY', 'MODEL'],
      timeZone: 'Asia/Kolkata',
    })
    const { rows, totals } = await reportUsage(db.read, day, TO)
    expect(rows.map(({ counts }) => counts.attempts)).toEqual([
      ...Array(110).fill(74),
      ...Array(110).fill(22),
    ])
    expect(totals.attempts).toBe(110 * 96)
  })

  it('of an empty period has no rows and totals of zero', async () => {
    const { rows, totals } = await reportUsage(db.read, queryOf({ from: 0, to: 1, groupBy: ['DAY'] }), TO)
    expect(rows).toEqual([])
    expect(new Set(Object.values(totals))).toEqual(new Set([0]))
  })
})

describe('an invalid usage query', () => {
  it.each([
    [{ from: TO, to: TO }, 'to', /^to is 2026-11-15T00:00:00.000Z; .*must be later than from, 2026-11-15/],
    [{ from: 0, to: Date.UTC(2060, 0) }, 'from', /are more than 50 years/],
    [{ timeZone: 'Europe/Berlni' }, 'timeZone', /timeZone is "Europe\/Berlni".*Europe\/Berlin/],
    [{ groupBy: ['DAY', 'DAY'] }, 'groupBy', /names DAY twice/],
    [{ groupBy: ['METADATA'] }, 'metadataKey', /requires metadataKey/],
    [{ filter: { users: Array(1001).fill('ann') } }, 'filter.users', /has 1001 values; the maximum is 1000/],
    [{ metadataKey: 'team' }, 'metadataKey', /"team", but groupBy does not name METADATA/],
  ] as [Partial<UsageQuery>, string, RegExp][])(
    'is refused with its field and rule: %o',
    async (more, field, words) => {
      const place = await newPlace('sqlite')
      const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
      const report = reportUsage(db.read, queryOf(more), TO)
      await expect(report).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        field,
        message: expect.stringMatching(words),
      })
      await db.close()
      await place.remove()
    },
  )
})
