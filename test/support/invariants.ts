import type { AssetStore } from '../../src/assets/store.ts'
import { inspectDatabase } from '../../src/db/connection/inspect.ts'
import { findViolations } from '../../src/engine/maintenance/invariants/index.ts'
import type { Place } from './database.ts'

/**
 * What must hold at every moment: each place where it does not, or nothing. All of it is read from one snapshot of the
 * database, so that tasks may run meanwhile.
 */
export async function checkInvariants(place: Place, store: AssetStore): Promise<string[]> {
  const { seen } = await inspectDatabase(place, (q) => findViolations(q, store))
  return seen.flatMap(({ id, violations }) => violations.map((violation) => `${id}: ${violation}`))
}
