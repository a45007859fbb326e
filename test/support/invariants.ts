import type { AssetStore } from '../../src/assets/store.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { findViolations } from '../../src/engine/maintenance/invariants/index.ts'

/** What must hold at every moment, whatever happened: each place where it does not, or nothing. */
export async function checkInvariants(db: Database, store: AssetStore): Promise<string[]> {
  const findings = await findViolations(db.read, store)
  return findings.flatMap(({ id, violations }) => violations.map((violation) => `${id}: ${violation}`))
}
