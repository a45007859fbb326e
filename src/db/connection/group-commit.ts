import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import type { Database as Connection } from 'better-sqlite3'
import { Unavailable } from '../../errors.ts'
import type { OnWakeUp, Queries, Transaction } from './database.ts'
import { errorCode } from './error-code.ts'
import { isForClient } from './priority.ts'
import type { SyncedLog } from './synced-log.ts'

const BROKEN_RETRY_MS = 30_000
const BUSY_RETRY_MS = 2_000
const LOCK_INTERVAL_MS = 20
/** A mutation is refused within five seconds. */
const CLIENT_LOCK_WAIT_MS = 4_700
const ENGINE_LOCK_WAIT_MS = 60_000

interface PendingTransaction {
  /** Monotonic. */
  waitsUntil: number
  /** Resolves to a function that reports success. */
  run: (q: Transaction) => Promise<() => void>
  reject: (error: unknown) => void
}

/**
 * Transactions that wait together share one commit, and so one fsync. Each is a savepoint, so that one may
 * fail alone. Queries complete in the same turn of the event loop; the next batch begins after the fsync.
 */
export function groupCommit(
  connection: Connection,
  q: Queries,
  wal: Pick<SyncedLog, 'hold' | 'sync' | 'release'>,
  { onWakeUp, checkMoved }: { onWakeUp: OnWakeUp; checkMoved: () => void },
) {
  let pending: PendingTransaction[] = []
  const beginWrite = connection.prepare('begin immediate')
  const commitWrite = connection.prepare('commit')
  const savepointOne = connection.prepare('savepoint one')
  const releaseOne = connection.prepare('release one')
  let running: Promise<void> | undefined

  async function commitAll(): Promise<void> {
    while (pending.length > 0) {
      // What the last commit and finished calls have led to joins the next one.
      await new Promise((resume) => setImmediate(resume))
      if (!begin()) {
        await new Promise((resolve) => setTimeout(resolve, LOCK_INTERVAL_MS))
        continue
      }
      const batch = pending
      pending = []
      await commit(batch)
    }
    running = undefined
  }

  /** False while another program holds the lock; then refuses those that waited too long. */
  function begin(): boolean {
    try {
      checkMoved()
      beginWrite.run()
      return true
    } catch (error) {
      const now = performance.now()
      const isRefused = ({ waitsUntil }: PendingTransaction) => !isBusy(error) || waitsUntil <= now
      const refused = pending.filter(isRefused)
      pending = pending.filter((one) => !isRefused(one))
      for (const one of refused) one.reject(translate(error))
      return false
    }
  }

  async function commit(batch: PendingTransaction[]): Promise<void> {
    const keys = new Set<string>()
    const reports: (() => void)[] = []
    try {
      for (const one of batch) reports.push(await savepoint(one, keys))
      wal.hold()
      commitWrite.run()
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      wal.release()
      for (const one of batch) one.reject(translate(error))
      return
    }
    try {
      await wal.sync()
    } catch (error) {
      for (const one of batch) one.reject(translate(error))
      return
    }
    for (const report of reports) report()
    for (const key of keys) onWakeUp(key)
  }

  async function savepoint(one: PendingTransaction, keys: Set<string>): Promise<() => void> {
    const own = new Set<string>()
    const callbacks: (() => void)[] = []
    savepointOne.run()
    try {
      const resolve = await one.run({
        ...q,
        wakeUp: (key) => own.add(key),
        afterCommit: (callback) => callbacks.push(callback),
      })
      releaseOne.run()
      for (const key of own) keys.add(key)
      return () => {
        for (const callback of callbacks) callback()
        resolve()
      }
    } catch (error) {
      connection.exec('rollback to one; release one')
      return () => one.reject(translate(error))
    }
  }

  return {
    tx<T>(work: (q: Transaction) => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const runWork = async (own: Transaction) => {
          const value = await work(own)
          return () => resolve(value)
        }
        // Keeps the caller's context, for its logs and traces.
        const waitMs = isForClient() ? CLIENT_LOCK_WAIT_MS : ENGINE_LOCK_WAIT_MS
        const waitsUntil = performance.now() + waitMs
        pending.push({ run: AsyncLocalStorage.bind(runWork), reject, waitsUntil })
        running ??= commitAll()
      })
    },
    async idle(): Promise<void> {
      for (let batch = running; batch; batch = running) await batch
    },
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(errorCode(error))
}

/** https://sqlite.org/rescode.html: the lock, the disk or the file. */
function translate(error: unknown): unknown {
  if (isBusy(error)) return new Unavailable('Another program locks the database.', BUSY_RETRY_MS, error)
  if (/^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|PROTOCOL)/.test(errorCode(error)))
    return new Unavailable('The database cannot be written to.', BROKEN_RETRY_MS, error)
  return error
}
