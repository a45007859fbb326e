import { expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { reconcileOn } from './reconciliation.ts'

const SEED = process.env['TEST_SEED'] ?? String(Date.now())

// The same with 1,000 tasks: npm run reconcile
it.each(DATABASES)(
  `reported costs equal the ledger and the bills of all providers, to the micro-dollar, on %s (TEST_SEED=${SEED})`,
  async (kind) => {
    const result = await reconcileOn(kind, { tasks: 100, seed: SEED })
    expect(result.differences).toEqual([])
    expect(result.tasks).toBe(100)
    // A comparison of too few charges would prove nothing.
    expect(result.bills).toBeGreaterThan(60)
    expect(result.unknown).toBeGreaterThan(3)
    expect(result.reportedMicros).toBeGreaterThan(500_000)
    expect(result.billedMicros).toBeGreaterThan(result.reportedMicros / 2)
  },
)
