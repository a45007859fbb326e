// A pool that bounds every wait: for a connection, a statement, a lock, and an unresponsive server.
import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Client, DatabaseError, Pool, type ClientConfig } from 'pg'
import type { Logger } from '../../log.ts'
import { Unavailable } from '../../errors.ts'
import { createStepTimes } from './step-times.ts'
import { createGate } from './gate.ts'
import { isForClient } from './priority.ts'
import { afterTurnTime } from './turn-clock.ts'

/** Node then probes every second, ten times (libuv, uv__tcp_keepalive). */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 5_000 } as const

const CONNECT_MS = 5_000
const CLOSE_MS = 2_000
const AWAY_RETRY_MS = 2_000
/** After a longer silence, idle connections are distrusted. */
const SILENCE_MS = 1_000

/** In milliseconds. */
export interface PoolLimits {
  max: number
  /** Of a statement, at the server. */
  statementMs: number
  client: TimeLimits
  engine: TimeLimits
}

interface TimeLimits {
  /** For a connection, while none is freed. */
  stallMs: number
  /** For all work on the connection. For a client also its waits, and earlier work of the same step. */
  totalMs: number
}

/** A mutation is refused within five seconds. */
export const DEFAULT_LIMITS: PoolLimits = {
  max: 10,
  statementMs: 4_000,
  client: { stallMs: 2_000, totalMs: 4_500 },
  engine: { stallMs: 5_000, totalMs: 8_000 },
}

export const REPORT_LIMITS: PoolLimits = {
  max: 2,
  statementMs: 30_000,
  client: { stallMs: 5_000, totalMs: 33_000 },
  engine: { stallMs: 5_000, totalMs: 33_000 },
}

/** Of the total: a client does not wait so long that less is left for its work. */
const MIN_WORK = 0.25

const LOCK_MS = 3_500
/** How long a process stopped inside a transaction holds its locks. */
const IDLE_IN_TRANSACTION_MS = 5_000

/** The connection broke, so the server may have run the query. */
export class ConnectionLost extends Unavailable {
  constructor(cause: unknown, problem = 'The database is unavailable.') {
    super(problem, AWAY_RETRY_MS, cause)
  }
}

/** Queries throw Unavailable if waiting may help, else DatabaseError. */
export class Connection extends Client {
  readonly #socket: Socket
  /** Of the pool, when it connected. */
  generation = 0
  isCut = false

  constructor(config: ClientConfig = {}) {
    const socket = new Socket()
    super({ ...config, stream: () => socket })
    this.#socket = socket
    const query: (config: unknown, values: unknown) => Promise<unknown> = this.query.bind(this)
    const translated = (text: unknown, values?: unknown[]) =>
      query(text, values?.map(withoutNul)).catch((error: unknown) => {
        throw translate(error)
      })
    Object.assign(this, { query: translated })
    // An `error` without a listener would end the process.
    this.on('error', () => {})
  }

  /** Fails the query in progress. Sends nothing and waits for nothing. */
  cut(): void {
    this.isCut = true
    this.#socket.destroy()
  }
}

/** PostgreSQL stores no NUL, so no row equals a text with one. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}

type PooledConnection = Connection & { release(error?: Error | boolean): void }

export interface PostgresqlPool {
  /** Throws Unavailable. `statementMs`: what is left for a statement, if that is less than the pool's limit. */
  use<T>(work: (connection: Connection, statementMs?: number) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export function createPool(url: string, limits: PoolLimits, log: Logger): PostgresqlPool {
  const { max, statementMs } = limits
  const gate = createGate(max)
  const measure = createStepTimes()
  const pool = new Pool({
    connectionString: url,
    Client: Connection,
    max,
    ...KEEP_ALIVE,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'idle database connection lost'))
  let generation = 0
  let heardAt = performance.now()
  const connections = new Set<Connection>()
  pool.on('connect', (client) => {
    heardAt = performance.now()
    const connection = toConnection(client)
    connection.generation = generation
    connections.add(connection)
  })
  pool.on('remove', (client) => connections.delete(toConnection(client)))

  async function checkOut(): Promise<PooledConnection> {
    for (;;) {
      const connection = toConnection(await pool.connect().catch(failConnect))
      if (connection.generation === generation) return connection
      connection.cut()
      connection.release(true)
    }
  }

  /** The pool keeps a connection that is established later. */
  async function checkOutBy(deadline: Deadline): Promise<PooledConnection> {
    const connecting = checkOut()
    const connection = await Promise.race([connecting, deadline.passed])
    if (connection) return connection
    connecting.then(
      (late) => late.release(),
      () => {},
    )
    throw new ConnectionLost(undefined)
  }

  function release(connection: PooledConnection, error?: unknown): void {
    if (!connection.isCut && !hasLost(error)) {
      heardAt = performance.now()
      return connection.release()
    }
    // A silent server is a reason to replace all connections; one slow process is not.
    if (performance.now() - heardAt > SILENCE_MS) generation++
    connection.cut()
    connection.release(true)
  }

  return {
    async use(work) {
      const isClient = isForClient()
      const { stallMs, totalMs } = isClient ? limits.client : limits.engine
      using time = measure()
      const leftMs = () => (isClient ? totalMs - time.ms : totalMs)
      const maxWaitMs = isClient ? Math.max(0, leftMs() - MIN_WORK * totalMs) : Infinity
      const leave = await gate.enter({ stallMs, maxWaitMs })
      let isLost = true
      try {
        using deadline = createDeadline(leftMs())
        const connection = await checkOutBy(deadline)
        deadline.onPassed = () => connection.cut()
        const ms = Math.floor(leftMs() - (totalMs - statementMs) / 2)
        try {
          const value = await work(connection, ms < statementMs ? Math.max(1, ms) : undefined)
          isLost = false
          release(connection)
          return value
        } catch (error) {
          isLost = connection.isCut || hasLost(error)
          release(connection, error)
          throw error
        }
      } finally {
        leave(isLost)
      }
    },
    close: () => closePool(pool, connections),
  }
}

/** Does not wait for an unresponsive server. */
export async function closePool(pool: Pool, connections: Iterable<Connection> = []): Promise<void> {
  const closed = Promise.withResolvers<void>()
  const timer = setTimeout(closed.resolve, CLOSE_MS)
  await Promise.race([pool.end(), closed.promise])
  clearTimeout(timer)
  for (const connection of connections) connection.cut()
}

interface Deadline extends Disposable {
  passed: Promise<undefined>
  onPassed: () => void
}

function createDeadline(ms: number): Deadline {
  const { promise: passed, resolve } = Promise.withResolvers<undefined>()
  let isCanceled = false
  const pass = () => {
    if (isCanceled) return
    resolve(undefined)
    deadline.onPassed()
  }
  // First read a response that a busy process may have received.
  const cancel = afterTurnTime(ms, () => setImmediate(() => setImmediate(pass)))
  const deadline: Deadline = {
    passed,
    onPassed() {},
    [Symbol.dispose]() {
      isCanceled = true
      cancel()
    },
  }
  return deadline
}

function toConnection(client: unknown): PooledConnection {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the pool creates no other clients
  return client as PooledConnection
}

function failConnect(error: unknown): never {
  throw error instanceof DatabaseError ? translate(error) : new ConnectionLost(error)
}

function hasLost(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ConnectionLost) return true
  return false
}

/**
 * https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, insufficient
 * resources, operator intervention and statement time-outs, locks not available, an idle transaction, an I/O
 * error.
 */
const TRANSIENT = /^(?:08|53|57)\w{3}$|^(?:55P03|25P03|25P04|58030)$/
/** After a failover, an old connection may lead to a standby. */
const READ_ONLY = '25006'

function translate(error: unknown): unknown {
  if (error instanceof Unavailable) return error
  if (!(error instanceof DatabaseError)) return new ConnectionLost(error)
  const { code, severity } = error
  if (severity === 'FATAL' || severity === 'PANIC' || code === READ_ONLY) return new ConnectionLost(error)
  if (!TRANSIENT.test(code ?? '')) return error
  return new Unavailable('The database did not respond in time.', AWAY_RETRY_MS, error)
}
