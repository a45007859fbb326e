import { expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { compareOn } from './books.ts'

const SEED = process.env['TEST_SEED'] ?? String(Date.now())

// The same with 1,000 tasks: npm run books
it.each(DATABASES)(
  `what is reported is what the ledger says and what all providers bill, to the micro-dollar, on %s (TEST_SEED=${SEED})`,
  { timeout: 120_000 },
  async (kind) => {
    const books = await compareOn(kind, { tasks: 100, seed: SEED })
    expect(books.differences).toEqual([])
    expect(books.tasks).toBe(100)
    // A comparison of nothing would prove nothing.
    expect(books.bills).toBeGreaterThan(60)
    expect(books.unknown).toBeGreaterThan(3)
    expect(books.reportedMicros).toBeGreaterThan(500_000)
    expect(books.billedMicros).toBeGreaterThan(books.reportedMicros / 2)
  },
)
