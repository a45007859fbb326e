import { describe, it, type TestContext } from 'vitest'
import { newPlace, type Place } from '../support/database.ts'
import { startPostgresql, type PostgresqlServer } from '../support/postgresql-server.ts'
import { surviveOutage, restartOften } from './outages.ts'

/** `npm run outages` stops it for a minute, and restarts it under 1,000 tasks. */
const ONE_OUTAGE = { downMs: 12_000, leaseMs: 3000 }
const RESTARTS = {
  tasks: 60,
  restarts: 3,
  everyMs: { low: 1500, high: 3000 },
  downMs: { low: 0, high: 1500 },
}

// Both mostly wait, each with a server of its own.
describe.concurrent('a PostgreSQL that is killed during paid calls', () => {
  it(
    'loses no result when it is down for four leases, and pays once',
    { timeout: 180_000 },
    async ({ expect, onTestFinished }) => {
      const { server, place } = await newServer(onTestFinished)
      const { ends, calls, discrepancies } = await surviveOutage(server, place, ONE_OUTAGE)
      expect({ ends, calls, discrepancies }).toEqual({ ends: { SUCCEEDED: 1 }, calls: 1, discrepancies: [] })
    },
  )

  it(
    'leaves every task ended or UNKNOWN after repeated kills, with matching ledgers',
    { timeout: 180_000 },
    async ({ expect, onTestFinished }) => {
      const { server, place } = await newServer(onTestFinished)
      const seed = Math.floor(Math.random() * 2 ** 32)
      const { ends, calls, discrepancies } = await restartOften(server, place, { ...RESTARTS, seed })
      expect(discrepancies, `seed ${seed}`).toEqual([])
      const { SUCCEEDED = 0, OUTCOME_UNKNOWN = 0, ...others } = ends
      expect(others, `seed ${seed}`).toEqual({})
      expect(SUCCEEDED + OUTCOME_UNKNOWN).toBe(RESTARTS.tasks)
      expect(SUCCEEDED).toBeGreaterThan(RESTARTS.tasks / 2)
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
