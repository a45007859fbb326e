/** What waits for a provider on behalf of one project. */
export interface Turn {
  projectId: string
  /** How many of its attempts are due; counted no further than there are places. */
  due: number
  /** Since when its oldest one is. */
  dueSince: number
}

/**
 * Pure. Deals out up to `places` one by one: each goes to the project that has the fewest of them, what it has under way
 * counted in, and among equals to the one that waits longest. Nobody's thousand attempts stand before somebody else's one.
 */
export function dealOut(
  places: number,
  turns: readonly Turn[],
  underWay: ReadonlyMap<string, number>,
): Map<string, number> {
  const dealt = new Map<string, number>()
  const dealtTo = ({ projectId }: Turn) => dealt.get(projectId) ?? 0
  const has = (turn: Turn) => dealtTo(turn) + (underWay.get(turn.projectId) ?? 0)
  for (let left = places; left > 0; left--) {
    let next: Turn | undefined
    for (const turn of turns) {
      if (dealtTo(turn) >= turn.due) continue
      if (!next || has(turn) < has(next) || (has(turn) === has(next) && turn.dueSince < next.dueSince))
        next = turn
    }
    if (!next) break
    dealt.set(next.projectId, dealtTo(next) + 1)
  }
  return dealt
}
