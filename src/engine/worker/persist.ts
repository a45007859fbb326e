import { isConstraintViolation } from '../../db/connection/constraint.ts'
import type { Deps } from '../deps.ts'

/** How long one write is tried for: longer than a database takes to come back from a restart or a failover. */
const PATIENCE_MS = 600_000
const MAX_PAUSE_MS = 5000

/**
 * Repeats a write until it is done, through an outage of the database: what it says was paid for and cannot be had
 * again. Throws the last error once patience or the process is over, and at once for a row that can never be stored.
 */
export async function persist(deps: Deps, over: AbortSignal, write: () => Promise<void>): Promise<void> {
  const { clock, log } = deps
  const until = clock.now() + PATIENCE_MS
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await write()
    } catch (error) {
      if (over.aborted || clock.now() >= until || isConstraintViolation(error)) throw error
      log.warn({ err: error }, 'an outcome cannot be written down yet; trying again')
      await clock.sleep(pauseMs, over)
    }
  }
}
