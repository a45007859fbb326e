import { claimOldest, listWaitingProjects, type ClaimScope } from '../../db/attempts/claim.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { shareSlots } from './fair-schedule.ts'

/** What a worker claims at one provider. */
export interface Claim extends ClaimScope {
  limit: number
  /** Names the worker in the leases. */
  owner: string
  leaseMs: number
  /** How many attempts of each project this worker has under way there; none when absent. */
  underWay?: ReadonlyMap<string, number>
}

/** Claims up to `limit` due attempts, shared fairly between the projects that wait. Concurrent claimers get different ones. */
export async function claimDue(q: Transaction, claim: Claim): Promise<AttemptRow[]> {
  const { limit, owner, leaseMs, underWay = new Map<string, number>(), ...scope } = claim
  const waiting = await listWaitingProjects(q, scope, limit)
  const claimed: AttemptRow[] = []
  for (const [projectId, share] of shareSlots(limit, waiting, underWay))
    claimed.push(...(await claimOldest(q, scope, { projectId, limit: share, owner, leaseMs })))
  return claimed
}
