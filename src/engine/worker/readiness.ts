import { DiskError, StorageError } from '../../assets/disk-error.ts'
import { putCooldown, removeCooldown } from '../../db/providers/cooldowns.ts'
import type { Database } from '../../db/connection/database.ts'
import type { Deps } from '../deps.ts'

export type Readiness = ReturnType<typeof createReadiness>

const MIN_CHECK_INTERVAL_MS = 1000
/** A database that writes one row more slowly serves no new tasks. */
const MAX_WRITE_MS = 250

export function createReadiness(deps: Pick<Deps, 'clock' | 'db' | 'log' | 'store'>) {
  const { clock, log } = deps
  let checkedAt = -Infinity
  let problem: Promise<string | undefined> = Promise.resolve(undefined)
  let wasFailing = false
  let isMissing = false

  async function checkStorage(): Promise<string | undefined> {
    try {
      await deps.store.checkFreeSpace()
      if (wasFailing) log.info('storing images recovered; sending continues')
      wasFailing = false
      isMissing = false
      return undefined
    } catch (error) {
      if (!wasFailing) log.error({ err: error }, 'storing images failed; nothing new is sent')
      wasFailing = true
      isMissing = error instanceof DiskError && error.code === 'ENOENT'
      return `no image can be stored${error instanceof StorageError ? ` (${error.code})` : ''}`
    }
  }

  /** Why no image can be stored now, as a sentence. Such an image would be paid for and lost. */
  function storageProblem(): Promise<string | undefined> {
    const now = clock.monotonic()
    if (now - checkedAt >= MIN_CHECK_INTERVAL_MS) {
      checkedAt = now
      problem = checkStorage()
    }
    return problem
  }

  async function databaseProblem(): Promise<string | undefined> {
    const timer = new AbortController()
    const write = writeAndUndo(deps.db).then(
      () => undefined,
      () => 'the database cannot be written to',
    )
    const timeout = clock
      .sleep(MAX_WRITE_MS, timer.signal)
      .then(() => `the database takes longer than ${MAX_WRITE_MS} ms to write`)
    const first = await Promise.race([write, timeout])
    timer.abort('stopped')
    return first
  }

  return {
    storageProblem,
    /** Whether the data folder was removed: a new task could never be finished. */
    isFolderMissing: async () => (await storageProblem()) !== undefined && isMissing,
    /** Why this process cannot take new work now: the disk or the database. */
    problem: async () => (await storageProblem()) ?? databaseProblem(),
  }
}

/** Throws on a full or read-only disk and on a standby, where reads still succeed. No other process sees the row. */
async function writeAndUndo(db: Database): Promise<void> {
  // A cooldown of no provider: rows of that small table are never locked for long.
  const none = { provider: '', model: '' }
  await db.tx(async (q) => {
    await putCooldown(q, { ...none, forMs: 0, reason: 'a test of writing', since: 0 })
    await removeCooldown(q, none, { paused: true })
  })
}
