import type { Database } from '../connection/database.ts'
import { putRest, removeRest } from '../providers/cooldowns.ts'

/**
 * Writes a row and takes it away again, in one transaction that nobody else sees: on a full or read-only disk, and on a
 * standby, reading works and this throws.
 */
export async function probeWrite(db: Database): Promise<void> {
  // A rest of no provider, in the smallest table, whose rows nobody holds for long.
  const nobody = { provider: '', model: '' }
  await db.tx(async (q) => {
    await putRest(q, { ...nobody, forMs: 0, reason: 'a test of writing', since: 0 })
    await removeRest(q, nobody, { paused: true })
  })
}
