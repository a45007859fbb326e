import { listAllProjects } from '../../db/access/projects.ts'
import { listForReview } from '../../db/attempts/review.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { Position } from '../../db/connection/keyset.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask } from '../../db/tasks/tasks.ts'
import { applyTransition } from '../attempts/apply-transition.ts'
import type { Deps } from '../deps.ts'
import { findOffer } from '../routing/configured.ts'
import { expectedMicros } from '../usage/expected-cost.ts'

const PAGE = 100

/** Holds without an amount stay: nothing to estimate by. */
export async function estimateUnknownCosts(deps: Deps, stop: AbortSignal): Promise<void> {
  const { afterMs, post } = deps.unknownCost
  if (post === 'KEEP') return
  const before = deps.clock.now() - afterMs
  for (const { id: projectId } of await listAllProjects(deps.db.read)) {
    let after: Position | undefined
    while (!stop.aborted) {
      const filter = { before, minMicros: 0 }
      const page = await listForReview(deps.db.reports, projectId, 'COST_UNKNOWN', filter, {
        limit: PAGE,
        after,
      })
      for (const attempt of page) await estimate(deps, attempt)
      const last = page[PAGE - 1]
      if (!last) break
      after = { at: last.finishedAt!, id: last.id }
    }
  }
}

async function estimate(deps: Deps, { id, taskId, projectId, ...attempt }: AttemptRow): Promise<void> {
  const { provider, model, n, heldMicros } = attempt
  if (heldMicros === null) return
  const offer = findOffer(deps.providers, provider, model)
  const at = deps.clock.now()
  const posted = await deps.db.tx(async (q) => {
    await lockTask(q, taskId)
    const { request } = await getTask(q, taskId)
    const likely = deps.unknownCost.post === 'ESTIMATE' && offer ? expectedMicros(request, offer, n) : null
    const estimatedMicros = Math.min(likely ?? heldMicros, heldMicros)
    q.wakeUp(feedKey(projectId))
    return applyTransition(q, id, 'estimateCost', { at, estimatedMicros })
  })
  if (posted)
    deps.log.info(
      { attempt: id, estimatedMicros: posted.estimatedMicros },
      'unknown cost posted as an estimate',
    )
}
