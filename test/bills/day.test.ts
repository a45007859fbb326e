import process from 'node:process'
import { expect, it } from 'vitest'
import { DATABASES, newPlace, type DatabaseKind } from '../support/database.ts'
import { settleDay } from './day.ts'

const SEED = process.env['TEST_SEED'] ?? String(Date.now())

const TASKS: Record<DatabaseKind, number> = { sqlite: 400, postgresql: 200 }

// 10,000 tasks: npm run bills-day
it.each(DATABASES)(
  `settles a day of mixed tasks with one imported bill per provider, to the micro-USD, on %s (TEST_SEED=${SEED})`,
  async (kind) => {
    const place = await newPlace(kind)
    try {
      const tasks = TASKS[kind]
      const day = await settleDay({ place, tasks, seed: SEED })
      expect(day.differences).toEqual([])
      expect(day.reviewed).toBe(0)
      expect(day.commands).toBeLessThanOrEqual(5)
      expect(day.correctedAgain).toBe(0)
      // A comparison of nothing would prove nothing.
      expect(day.charges).toBeGreaterThan(tasks * 0.8)
      expect(day.unknownCosts).toBeGreaterThanOrEqual(5)
      expect(day.corrected).toBeGreaterThan(0)
      expect(day.lateResults).toBeGreaterThan(0)
      expect(day.decided).toBeGreaterThan(0)
      expect(day.decidedWrongly).toBeGreaterThan(0)
    } finally {
      await place.remove()
    }
  },
)
