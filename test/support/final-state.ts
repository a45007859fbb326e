// What a closed gateway left in its database.
import { openAssetStore } from '../../src/assets/open.ts'
import type { AssetRow, AttemptRow, TaskRow } from '../../src/db/tables/tables.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createLog } from '../../src/log.ts'
import type { Place } from './database.ts'
import { checkInvariants } from './invariants.ts'

export interface FinalState {
  tasks: TaskRow[]
  attempts: AttemptRow[]
  assets: AssetRow[]
  /** One sentence for each violated invariant. */
  violated: string[]
}

export async function readFinalState(place: Place): Promise<FinalState> {
  const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  try {
    const { sql, tables } = db.read
    return {
      tasks: await sql.select().from(tables.tasks),
      attempts: await sql.select().from(tables.attempts),
      assets: await sql.select().from(tables.assets),
      violated: await checkInvariants(place, await openAssetStore({ assetsUrl: null, ...place })),
    }
  } finally {
    await db.close()
  }
}
