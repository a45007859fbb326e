import { describe, it, type TestContext } from 'vitest'
import { newPlace, type Place } from '../support/database.ts'
import { startPostgresql, type PostgresqlServer } from '../support/postgresql-server.ts'
import { outlast, restartOften } from './outages.ts'

/** `npm run outages` keeps it away for a minute, and restarts it under 1,000 tasks. */
const AWAY = { awayMs: 12_000, leaseMs: 3000 }
const OFTEN = { tasks: 60, restarts: 3, everyMs: { low: 1500, high: 3000 }, awayMs: { low: 0, high: 1500 } }

// Both mostly wait, each for a server of its own.
describe.concurrent('a PostgreSQL that is killed under paid calls', () => {
  it(
    'and stays away for four leases finds the result kept, and paid once',
    { timeout: 180_000 },
    async ({ expect, onTestFinished }) => {
      const { server, place } = await newServer(onTestFinished)
      const { ends, calls, discrepancies } = await outlast(server, place, AWAY)
      expect({ ends, calls, discrepancies }).toEqual({ ends: { SUCCEEDED: 1 }, calls: 1, discrepancies: [] })
    },
  )

  it(
    'again and again leaves every task ended or explained, and books that match',
    { timeout: 180_000 },
    async ({ expect, onTestFinished }) => {
      const { server, place } = await newServer(onTestFinished)
      const seed = Math.floor(Math.random() * 2 ** 32)
      const { ends, calls, discrepancies } = await restartOften(server, place, { ...OFTEN, seed })
      expect(discrepancies, `seed ${seed}`).toEqual([])
      const { SUCCEEDED = 0, OUTCOME_UNKNOWN = 0, ...others } = ends
      expect(others, `seed ${seed}`).toEqual({})
      expect(SUCCEEDED + OUTCOME_UNKNOWN).toBe(OFTEN.tasks)
      expect(SUCCEEDED).toBeGreaterThan(OFTEN.tasks / 2)
      expect(calls).toBeGreaterThanOrEqual(SUCCEEDED)
    },
  )
})

async function newServer(
  onTestFinished: TestContext['onTestFinished'],
): Promise<{ server: PostgresqlServer; place: Place }> {
  const server = await startPostgresql()
  onTestFinished(() => server.stop())
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  return { server, place: { ...place, databaseUrl: server.url } }
}
