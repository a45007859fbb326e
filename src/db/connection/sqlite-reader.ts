// Entry of a reader thread: one query at a time, read-only.
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import BetterSqlite3 from 'better-sqlite3'
import { errorCode } from './error-code.ts'
import { cacheStatements } from './statement-cache.ts'

export interface ReaderQuery {
  text: string
  values: readonly unknown[]
  /** Rows as arrays, else as objects. */
  asArrays: boolean
}

export type ReaderReply = { rows: unknown[] } | { error: { message: string; code: string } }

/** In WAL mode readers wait only while another program recovers the log. */
const BUSY_MS = 5_000
/** Of 19. */
const NICENESS = 10

// The main thread goes first. Only Linux sets the priority of one thread: setpriority(2).
if (process.platform === 'linux') setPriority(Math.max(NICENESS, getPriority()))

const connection = cacheStatements(
  new BetterSqlite3(String(workerData), { readonly: true, timeout: BUSY_MS }),
)

function run({ text, values, asArrays }: ReaderQuery): ReaderReply {
  try {
    const statement = connection.prepare(text)
    return { rows: statement.raw(asArrays).all(...values) }
  } catch (error) {
    // A copied error loses its code.
    const message = error instanceof Error ? error.message : String(error)
    return { error: { message, code: errorCode(error) } }
  }
}

parentPort?.on('message', (query: ReaderQuery) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(run(query))
})
