// Connections to PostgreSQL: one limit for all waits of a request, and replacement of those that fell silent.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  ConnectionLost,
  createPool,
  DEFAULT_LIMITS,
  type PoolLimits,
  type PostgresqlPool,
} from '../../src/db/connection/postgresql-pool.ts'
import { runAsStep, runForClient } from '../../src/db/connection/priority.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import { newPlace } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const TOTAL_MS = 1_500
const LIMITS: PoolLimits = {
  max: 1,
  statementMs: 1_300,
  client: { stallMs: 700, totalMs: TOTAL_MS },
  engine: { stallMs: 5_000, totalMs: 8_000 },
}
/** A busy process is late. */
const BOUND_MS = 1.4 * TOTAL_MS

async function openPool(limits: PoolLimits) {
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  const proxy = await startTcpProxy(place.databaseUrl!)
  onTestFinished(() => proxy.close())
  const pool = createPool(proxy.url, limits, createLog('silent'))
  onTestFinished(() => pool.close())
  return { pool, proxy }
}

async function sleepFor(pool: PostgresqlPool, ms: number): Promise<void> {
  await pool.use((connection) => connection.query(`select pg_sleep(${ms / 1000})`))
}

/** Uses four at once, for clients: the engine leaves them connections. Returns their server processes. */
async function connectAll(pool: PostgresqlPool): Promise<number[]> {
  const use = () =>
    pool.use((connection) =>
      connection.query<{ pid: number }>('select pg_backend_pid() as pid, pg_sleep(0.2)'),
    )
  const results = await Promise.all(Array.from({ length: 4 }, () => runForClient(use)))
  return results.map(({ rows }) => rows[0]!.pid)
}

async function timeOf(work: Promise<unknown>): Promise<{ ms: number; error: unknown }> {
  const startedAt = performance.now()
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { ms: performance.now() - startedAt, error }
}

const ASK_AGAIN = { code: 'SERVICE_UNAVAILABLE' }

describe('a request to PostgreSQL', () => {
  it('that waits for a connection has only what remains of its time for its statement', async () => {
    const { pool } = await openPool(LIMITS)
    const others = [550, 550].map((ms) => sleepFor(pool, ms))
    const { ms, error } = await timeOf(runForClient(() => sleepFor(pool, 60_000)))
    await Promise.all(others)
    expect(error).toMatchObject(ASK_AGAIN)
    expect(ms).toBeLessThan(BOUND_MS)
  })

  it('has the server stop a transaction whose time is over, so that its connection is kept', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    onTestFinished(() => db.close())
    const limit = () =>
      db.tx(async ({ sql: builders }) => {
        const ms = sql<number>`(select setting::int from pg_settings where name = 'statement_timeout')`
        const [row] = await builders
          .select({ ms, slept: sql`pg_sleep(0.6)::text` })
          .from(sql`generate_series(1, 1)`)
        return row!.ms
      })
    const [first, second] = await runAsStep(async () => [await limit(), await limit()])
    expect(first).toBe(DEFAULT_LIMITS.statementMs)
    expect(second).toBeLessThan(DEFAULT_LIMITS.client.totalMs - 600)
    expect(await runForClient(limit)).toBe(DEFAULT_LIMITS.statementMs)
  })

  it('of several steps has one limit for all of them', async () => {
    const { pool } = await openPool(LIMITS)
    const { ms, error } = await timeOf(
      runAsStep(async () => {
        for (let nth = 0; nth < 10; nth++) await sleepFor(pool, 600)
      }),
    )
    expect(error).toMatchObject(ASK_AGAIN)
    expect(ms).toBeLessThan(BOUND_MS)
  })

  it('counts its concurrent uses once, and none of the time between them', async () => {
    const { pool } = await openPool({ ...LIMITS, max: 4 })
    const steps = runAsStep(async () => {
      await Promise.all(Array.from({ length: 4 }, () => sleepFor(pool, 500)))
      await pause(TOTAL_MS)
      await sleepFor(pool, 100)
      return 'done'
    })
    expect(await steps).toBe('done')
  })
})

describe('when a connection falls silent', () => {
  it('the other idle ones are replaced, so that no other request fails', async () => {
    const { pool, proxy } = await openPool({ ...LIMITS, max: 4 })
    await connectAll(pool)
    expect(proxy.connectionCount()).toBe(4)
    proxy.swallow()
    proxy.heal()
    await expect(runForClient(() => sleepFor(pool, 0))).rejects.toThrow(ConnectionLost)
    for (let nth = 0; nth < 4; nth++) await runForClient(() => sleepFor(pool, 0))
  })

  it('while others respond, these are kept', async () => {
    const { pool } = await openPool({ ...LIMITS, max: 4 })
    const before = await connectAll(pool)
    const silent = runForClient(() =>
      pool.use(async (connection) => {
        const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
        process.kill(rows[0]!.pid, 'SIGSTOP')
        onTestFinished(() => void process.kill(rows[0]!.pid, 'SIGCONT'))
        await connection.query('select 1')
      }),
    )
    const isOver = silent.then(
      () => true,
      () => true,
    )
    while (!(await Promise.race([isOver, pause(100, false)]))) await sleepFor(pool, 0)
    await expect(silent).rejects.toMatchObject(ASK_AGAIN)
    const after = await connectAll(pool)
    expect(before.filter((pid) => after.includes(pid))).toHaveLength(3)
  })
})
