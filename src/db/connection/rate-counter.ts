// How much of a limit is used up in the minute under way.
import { Pool } from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, RLWrapperTimeouts } from 'rate-limiter-flexible'

/** What a key has used up in its minute, and how long that still lasts. A minute begins with the first use after the last one. */
export interface Used {
  amount: number
  endsInMs: number
}

export interface Counter {
  /** Adds to what a key has used up; a negative amount gives it back. Never rejects. */
  add(key: string, amount: number): Promise<Used>
  close(): Promise<void>
}

const MINUTE_S = 60

/** The library would refuse at a number of its own; what is too much is for the caller to say. */
const WITHOUT_END = { points: Number.MAX_SAFE_INTEGER, duration: MINUTE_S }

/** Counts in this process: for a database that is this process's own. */
export function countInMemory(): Counter {
  const limiter = new RateLimiterMemory(WITHOUT_END)
  return { add: (key, amount) => addTo(limiter, key, amount), close: async () => {} }
}

/** How long the database may take before this process counts alone, in milliseconds. */
const PATIENCE_MS = 250

/**
 * Counts for all processes of a PostgreSQL database. While that is slow or away each process counts for itself, which
 * lets through as many times more as there are processes, and holds nobody up.
 */
export function countInPostgresql(url: string): Counter {
  // Its own two connections: what is counted must not wait behind what it is to protect.
  const pool = new Pool({
    connectionString: url,
    max: 2,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 2_000,
  })
  pool.on('error', () => {})
  const storeClient = {
    // 64-bit numbers come as text.
    async query(query: { name?: string; text: string; values: unknown[] }) {
      const { rows } = await pool.query<{ points: string; expire: string }>(query)
      return { rows: rows.map(({ points, expire }) => ({ points: Number(points), expire: Number(expire) })) }
    },
  }
  const limiter = new RLWrapperTimeouts({
    limiter: new RateLimiterPostgres({
      ...WITHOUT_END,
      storeClient,
      storeType: 'client',
      tableName: 'rate_counters',
      tableCreated: true,
      // There are a few for each project and key, and no more.
      clearExpiredByTimeout: false,
    }),
    insuranceLimiter: new RateLimiterMemory(WITHOUT_END),
    timeoutMs: PATIENCE_MS,
  })
  return { add: (key, amount) => addTo(limiter, key, amount), close: () => pool.end() }
}

async function addTo(
  limiter: Pick<RateLimiterMemory, 'penalty'>,
  key: string,
  amount: number,
): Promise<Used> {
  const { consumedPoints, msBeforeNext } = await limiter.penalty(key, amount)
  return { amount: consumedPoints, endsInMs: Math.max(0, msBeforeNext) }
}
