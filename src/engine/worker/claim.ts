import {
  claimOldest,
  listWaitingProjects,
  type ClaimScope,
  type WaitingProject,
} from '../../db/attempts/claim.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'

export interface Claim extends ClaimScope {
  limit: number
  owner: string
  leaseMs: number
  dataFolderId: string
  /** This worker's attempts in progress at the provider, by project; none by default. */
  inProgress?: ReadonlyMap<string, number>
}

/** Concurrent claims never overlap. */
export async function claimDue(q: Transaction, claim: Claim): Promise<AttemptRow[]> {
  const { limit, owner, leaseMs, dataFolderId, inProgress = new Map<string, number>(), ...scope } = claim
  const lease = { owner, leaseMs, dataFolderId }
  const waiting = await listWaitingProjects(q, scope, limit)
  const claimed: AttemptRow[] = []
  for (const [projectId, share] of shareSlots(limit, waiting, inProgress))
    claimed.push(...(await claimOldest(q, scope, { projectId, limit: share, ...lease })))
  return claimed
}

/**
 * Fair scheduling, pure: each slot goes to the project with the fewest attempts, also in progress; among equals, to
 * the one that waits longest.
 */
export function shareSlots(
  slots: number,
  waiting: readonly WaitingProject[],
  inProgress: ReadonlyMap<string, number>,
): Map<string, number> {
  const shares = new Map<string, number>()
  const shareOf = ({ projectId }: WaitingProject) => shares.get(projectId) ?? 0
  const held = (project: WaitingProject) => shareOf(project) + (inProgress.get(project.projectId) ?? 0)
  for (let left = slots; left > 0; left--) {
    const [next] = waiting
      .filter((project) => shareOf(project) < project.due)
      .toSorted((a, b) => held(a) - held(b) || a.dueSince - b.dueSince)
    if (!next) break
    shares.set(next.projectId, shareOf(next) + 1)
  }
  return shares
}
