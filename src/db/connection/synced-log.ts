import { closeSync, fdatasync, openSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Database as Connection } from 'better-sqlite3'
import { Unavailable } from '../../errors.ts'
import type { WriteAheadLog } from './sqlite-readers.ts'

const datasync = promisify(fdatasync)

const CHECKPOINT_PAGES = 4_000
/** Between looks at the size of the log, which take as long as a statement. */
const COMMITS_PER_LOOK = 4
const MAX_WAL_BYTES = 32 * 2 ** 20
const FAILED_RETRY_MS = 30_000

export interface SyncedLog extends WriteAheadLog {
  /** Before a commit: until `sync` or `release`, reads get the snapshot of before. */
  hold(): void
  /** Makes the commit durable. Throws Unavailable once a sync has failed. */
  sync(): Promise<void>
  release(): void
  close(): void
}

/**
 * Syncs the write-ahead log in another thread. With `synchronous = FULL` SQLite does so inside the commit,
 * which blocks the event loop; with NORMAL only at checkpoints
 * (https://sqlite.org/pragma.html#pragma_synchronous).
 */
export function createSyncedLog(file: string, writer: Connection, reader: Connection): SyncedLog {
  writer.pragma('synchronous = NORMAL')
  // The held snapshot would keep a checkpoint inside a commit from resetting the log.
  writer.pragma('wal_autocheckpoint = 0')
  const path = `${file}-wal`
  const handle = openSync(path, 'r+')
  const begin = reader.prepare('begin')
  const end = reader.prepare('end')
  const snapshot = reader.prepare('select 1 from sqlite_schema limit 1')
  const state = writer.prepare<[], { log: number }>('pragma wal_checkpoint(NOOP)')
  let commits = 0
  let failure: unknown

  function release(): void {
    if (reader.inTransaction) end.run()
  }

  return {
    hold() {
      if (failure) throw failure
      begin.run()
      snapshot.get()
    },
    async sync() {
      try {
        await datasync(handle)
      } catch (error) {
        // The system may forget a failed write, so that another sync would succeed. The snapshot stays held.
        failure = new Unavailable(
          'The database could not be synced. Restart the server.',
          FAILED_RETRY_MS,
          error,
        )
        throw failure
      }
      release()
      if (++commits % COMMITS_PER_LOOK === 0 && state.get()!.log >= CHECKPOINT_PAGES)
        writer.pragma('wal_checkpoint(PASSIVE)')
    },
    release() {
      if (!failure) release()
    },
    isLong: () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_WAL_BYTES,
    truncate() {
      // Does nothing while another program reads.
      if (!writer.inTransaction) writer.pragma('wal_checkpoint(TRUNCATE)')
    },
    close: () => closeSync(handle),
  }
}
