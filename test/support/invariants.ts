import type { AssetStore } from '../../src/assets/store.ts'
import { inspectDatabase } from '../../src/db/connection/inspect.ts'
import { findViolations } from '../../src/engine/maintenance/invariants/index.ts'
import type { Place } from './database.ts'

/** One sentence for each violated invariant. Reads one snapshot of the database, so tasks may run meanwhile. */
export async function checkInvariants(place: Place, store: AssetStore): Promise<string[]> {
  const { result } = await inspectDatabase(place, (q) => findViolations(q, store))
  return result.flatMap(({ id, violations }) => violations.map((violation) => `${id}: ${violation}`))
}
