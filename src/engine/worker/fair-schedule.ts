import type { WaitingProject } from '../../db/attempts/claim.ts'

/**
 * Pure. Fair scheduling: gives out up to `slots` one by one, each to the project that holds the fewest, its attempts under
 * way included, and among equals to the one that has waited longest. So one attempt of a project never waits for all the
 * attempts of another.
 */
export function shareSlots(
  slots: number,
  waiting: readonly WaitingProject[],
  underWay: ReadonlyMap<string, number>,
): Map<string, number> {
  const shares = new Map<string, number>()
  const shareOf = ({ projectId }: WaitingProject) => shares.get(projectId) ?? 0
  const held = (project: WaitingProject) => shareOf(project) + (underWay.get(project.projectId) ?? 0)
  for (let left = slots; left > 0; left--) {
    let next: WaitingProject | undefined
    for (const project of waiting) {
      if (shareOf(project) >= project.due) continue
      const isBefore =
        !next ||
        held(project) < held(next) ||
        (held(project) === held(next) && project.dueSince < next.dueSince)
      if (isBefore) next = project
    }
    if (!next) break
    shares.set(next.projectId, shareOf(next) + 1)
  }
  return shares
}
