import { Pool } from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, RLWrapperTimeouts } from 'rate-limiter-flexible'
import { closePool, KEEP_ALIVE } from './postgresql-pool.ts'

/** A minute begins with the first use after the previous one ended. */
export interface RateWindow {
  amount: number
  endsInMs: number
}

export interface RateCounter {
  /** A negative amount gives back. Never rejects. */
  add(key: string, amount: number): Promise<RateWindow>
  close(): Promise<void>
}

/** The caller has the limits. */
const UNLIMITED = { points: Number.MAX_SAFE_INTEGER, duration: 60 }

export function createMemoryCounter(): RateCounter {
  const limiter = new RateLimiterMemory(UNLIMITED)
  return { add: (key, amount) => addTo(limiter, key, amount), close: async () => {} }
}

const MAX_WAIT_MS = 250

/** For all processes. While the database is slow or down, each process counts alone and no request waits. */
export function createPostgresqlCounter(url: string): RateCounter {
  // Counting must not wait for the work that it limits.
  const pool = new Pool({
    connectionString: url,
    max: 2,
    idleTimeoutMillis: 30_000,
    ...KEEP_ALIVE,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 2_000,
    // For a server that does not respond.
    query_timeout: 3_000,
  })
  pool.on('error', () => {})
  const storeClient = {
    // pg returns 64-bit numbers as text.
    async query(query: { name?: string; text: string; values: unknown[] }) {
      const { rows } = await pool.query<{ points: string; expire: string }>(query)
      return { rows: rows.map(({ points, expire }) => ({ points: Number(points), expire: Number(expire) })) }
    },
  }
  const limiter = new RLWrapperTimeouts({
    limiter: new RateLimiterPostgres({
      ...UNLIMITED,
      storeClient,
      storeType: 'client',
      tableName: 'rate_counters',
      tableCreated: true,
      // A few rows per project and key.
      clearExpiredByTimeout: false,
    }),
    insuranceLimiter: new RateLimiterMemory(UNLIMITED),
    timeoutMs: MAX_WAIT_MS,
  })
  return { add: (key, amount) => addTo(limiter, key, amount), close: () => closePool(pool) }
}

async function addTo(
  limiter: Pick<RateLimiterMemory, 'penalty'>,
  key: string,
  amount: number,
): Promise<RateWindow> {
  const { consumedPoints, msBeforeNext } = await limiter.penalty(key, amount)
  return { amount: consumedPoints, endsInMs: Math.max(0, msBeforeNext) }
}
