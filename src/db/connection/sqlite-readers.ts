import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { betterSQLite3Codecs } from 'drizzle-orm/better-sqlite3'
import { drizzle, type SqliteProxyExecutors } from 'drizzle-orm/sqlite-proxy'
import type { Logger } from '../../log.ts'
import { Unavailable } from '../../errors.ts'
import { createGate } from './gate.ts'
import { isForClient } from './priority.ts'
import type { ReaderQuery, ReaderReply } from './sqlite-reader.ts'

/** TypeScript in a clone, JavaScript in the package. */
const ENTRY = new URL(`./sqlite-reader${extname(import.meta.url)}`, import.meta.url)

export interface ReaderLimits {
  threads: number
  /** For a thread, while none becomes free. */
  waitMs: number
  queryMs: number
}

/** As for PostgreSQL. */
export const DEFAULT_READER_LIMITS: ReaderLimits = { threads: 2, waitMs: 5_000, queryMs: 30_000 }

/** Of `waitMs`, while threads become free. */
const MAX_CLIENT_WAITS = 5
const CLOSE_MS = 2_000
const ENDED_RETRY_MS = 1_000

export interface WriteAheadLog {
  isLong(): boolean
  truncate(): void
}

/**
 * Threads for queries over many rows, so that the event loop continues. They start on demand. Queries throw
 * Unavailable when too many wait, when one takes too long, and when its thread ends, which is then replaced.
 */
export function createReaders(
  file: string,
  { threads, waitMs, queryMs }: ReaderLimits,
  { wal, log }: { wal: WriteAheadLog; log: Logger },
) {
  const gate = createGate(threads)
  const all = new Set<Reader>()
  const idle = new Set<Reader>()
  const running = new Set<Promise<unknown>>()
  let truncation: Promise<void> | undefined
  let isClosed = false

  function start(): Reader {
    const reader = startReader(file, (cause) => {
      all.delete(reader)
      idle.delete(reader)
      if (!isClosed) log.warn({ err: cause }, 'database reader thread ended')
    })
    all.add(reader)
    return reader
  }

  /** The log is reused only after a moment without readers ("checkpoint starvation", https://sqlite.org/wal.html). */
  async function truncateLog(): Promise<void> {
    await Promise.allSettled(running)
    // No transaction is open between two turns of the event loop.
    await new Promise((resume) => setImmediate(resume))
    if (!isClosed) wal.truncate()
    truncation = undefined
  }

  async function query(of: ReaderQuery): Promise<unknown[]> {
    const leave = await gate.enter({
      stallMs: waitMs,
      maxWaitMs: isForClient() ? MAX_CLIENT_WAITS * waitMs : Infinity,
    })
    let reader: Reader | undefined
    try {
      if (truncation ?? wal.isLong()) await (truncation ??= truncateLog())
      if (isClosed) throw new Error('The database is closed.')
      const [free] = idle
      reader = free ?? start()
      idle.delete(reader)
      const result = reader.run(of, queryMs)
      running.add(result)
      return await result.finally(() => running.delete(result))
    } finally {
      if (!reader || reader.isUsable) {
        if (reader) idle.add(reader)
        leave(false)
      } else {
        // SQLite completes its step first, and must not do so beside more threads than `threads`.
        void reader.end().then(() => leave(true))
      }
    }
  }

  const rows = (text: string, values: unknown[], mode?: string) =>
    query({ text, values, asArrays: mode !== 'object' })
  const executors = {
    all: rows,
    get: async (...of: Parameters<typeof rows>) => (await rows(...of))[0],
    run: () => Promise.reject(new Error('Reader threads do not write.')),
  }

  return {
    /** Values as in the query builder of the main thread. */
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of drizzle's rows have any
    builders: drizzle(executors as unknown as SqliteProxyExecutors, { codecs: betterSQLite3Codecs }),
    /** Does not wait for a long query. */
    async close(): Promise<void> {
      isClosed = true
      const closed = Promise.withResolvers<void>()
      const timer = setTimeout(closed.resolve, CLOSE_MS)
      await Promise.race([Promise.all([...all].map((reader) => reader.end())), closed.promise])
      clearTimeout(timer)
    },
  }
}

interface Reader {
  /** One query at a time. Throws Unavailable. */
  run(query: ReaderQuery, maxMs: number): Promise<unknown[]>
  /** False after a query that took too long, and after the end. */
  readonly isUsable: boolean
  /** Resolves after SQLite's current step. */
  end(): Promise<unknown>
}

function startReader(file: string, onEnd: (cause: unknown) => void): Reader {
  // No flags such as --import, which may load an application.
  const thread = new Worker(ENTRY, { workerData: file, execArgv: [] })
  let pending: PromiseWithResolvers<unknown[]> | undefined
  let cause: unknown
  let isUsable = true
  thread.on('message', (reply: ReaderReply) => {
    if ('rows' in reply) pending?.resolve(reply.rows)
    else pending?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }))
  })
  thread.on('error', (error) => (cause = error))
  thread.on('exit', () => {
    isUsable = false
    pending?.reject(
      new Unavailable('The thread that read the database ended unexpectedly.', ENDED_RETRY_MS, cause),
    )
    onEnd(cause)
  })
  // Only a query in progress keeps the process running.
  thread.unref()

  return {
    get isUsable() {
      return isUsable
    },
    async run(query, maxMs) {
      const own = (pending = Promise.withResolvers<unknown[]>())
      const timer = setTimeout(() => {
        isUsable = false
        own.reject(
          new Unavailable(
            `A query took longer than ${maxMs / 1000} s. Narrow the period or the filter of the request.`,
            maxMs,
          ),
        )
      }, maxMs)
      thread.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      thread.postMessage(query)
      try {
        return await own.promise
      } finally {
        clearTimeout(timer)
        thread.unref()
      }
    },
    end: () => thread.terminate(),
  }
}
