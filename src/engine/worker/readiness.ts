// Whether there is a point in taking up new work: what was made and cannot be kept was paid for in vain.
import { DiskError } from '../../assets/disk-error.ts'
import { putCooldown, removeCooldown } from '../../db/providers/cooldowns.ts'
import type { Database } from '../../db/connection/database.ts'
import type { Deps } from '../deps.ts'

export interface Readiness {
  /** Why no image could be kept at this moment, in a sentence; undefined when one could. Asks the disk at most once a second. */
  storageProblem(): Promise<string | undefined>
  /** Why this process could not take up work at this moment: the disk or the database; undefined when it could. */
  problem(): Promise<string | undefined>
}

const ASK_EVERY_MS = 1000
/** A database that takes longer to write one row is of no use to new tasks. */
const WRITE_WITHIN_MS = 250

export function createReadiness(deps: Pick<Deps, 'clock' | 'db' | 'log' | 'store'>): Readiness {
  const { clock, log } = deps
  let askedAt = -Infinity
  let answer: Promise<string | undefined> = Promise.resolve(undefined)
  let wasFull = false

  async function ask(): Promise<string | undefined> {
    const refused = await deps.store.checkRoom().then(
      () => undefined,
      (error: unknown) => error,
    )
    const isFull = refused !== undefined
    if (isFull && !wasFull) log.error({ err: refused }, 'no image can be stored; nothing new is sent')
    if (!isFull && wasFull) log.info('images can be stored again')
    wasFull = isFull
    if (!isFull) return undefined
    return `no image can be stored${refused instanceof DiskError ? ` (${refused.code})` : ''}`
  }

  function storageProblem(): Promise<string | undefined> {
    const now = clock.now()
    if (now - askedAt >= ASK_EVERY_MS) {
      askedAt = now
      answer = ask()
    }
    return answer
  }

  async function databaseProblem(): Promise<string | undefined> {
    const patience = new AbortController()
    const written = writeAndUndo(deps.db).then(
      () => undefined,
      () => 'the database cannot be written to',
    )
    const late = clock
      .sleep(WRITE_WITHIN_MS, patience.signal)
      .then(() => `the database takes longer than ${WRITE_WITHIN_MS} ms to write`)
    const problem = await Promise.race([written, late])
    patience.abort()
    return problem
  }

  return {
    storageProblem,
    problem: async () => (await storageProblem()) ?? databaseProblem(),
  }
}

/**
 * Writes a row and removes it, in one transaction that no other process sees. On a full or read-only disk, and on a
 * standby, reading works and this throws.
 */
async function writeAndUndo(db: Database): Promise<void> {
  // A cooldown of no provider, in the smallest table, whose rows no transaction locks for long.
  const none = { provider: '', model: '' }
  await db.tx(async (q) => {
    await putCooldown(q, { ...none, forMs: 0, reason: 'a test of writing', since: 0 })
    await removeCooldown(q, none, { paused: true })
  })
}
