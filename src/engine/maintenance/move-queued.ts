import { listQueuedAt } from '../../db/attempts/in-progress.ts'
import { listCooldowns } from '../../db/providers/cooldowns.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { getTask, lockTask } from '../../db/tasks/tasks.ts'
import { applyTransition } from '../attempts/apply-transition.ts'
import { concludeTask } from '../attempts/conclude.ts'
import { nextNumber, planAttempt } from '../attempts/plan.ts'
import { findUntried } from '../attempts/retry-policy.ts'
import type { Deps } from '../deps.ts'
import { concerns } from '../routing/health.ts'

/** Per provider and round: a long queue that cannot move is not read again and again. */
const BATCH = 100

/**
 * Moves queued attempts of a provider in cooldown, or paused, to the next eligible provider that was not tried for this
 * part. They wait where there is none, or where a budget refuses its price.
 */
export function createQueueMover(deps: Deps, stop: AbortSignal): () => Promise<void> {
  /** By provider and model, where the next round begins. */
  const lastIds = new Map<string, string>()

  return async () => {
    const active = (await listCooldowns(deps.db.read)).filter(({ inCooldown }) => inCooldown)
    const isResting = (provider: string, model: string) =>
      active.some((cooldown) => concerns(cooldown, provider, model))
    for (const { name: provider, offers } of deps.providers) {
      for (const { model } of offers) {
        if (!isResting(provider, model) || !hasOther(deps, provider, model, isResting)) continue
        const key = `${provider} ${model}`
        const after = lastIds.get(key) ?? ''
        const queued = await listQueuedAt(deps.db.read, { provider, model, after, limit: BATCH })
        for (const attempt of queued) {
          if (stop.aborted) return
          await move(deps, attempt)
        }
        lastIds.set(key, queued.length < BATCH ? '' : queued.at(-1)!.id)
      }
    }
  }
}

function hasOther(
  { providers }: Deps,
  provider: string,
  model: string,
  isResting: (provider: string, model: string) => boolean,
): boolean {
  return providers.some(
    ({ name, offers }) =>
      name !== provider && offers.some((offer) => offer.model === model) && !isResting(name, model),
  )
}

async function move(deps: Deps, attempt: AttemptRow): Promise<void> {
  const { id, taskId, provider: from } = attempt
  // Most of a queue that cannot move needs no transaction.
  if (!(await findUntried(deps.db.read, deps, await getTask(deps.db.read, taskId), attempt))) return
  const at = deps.clock.now()
  await deps.db
    .tx(async (q) => {
      const task = await lockTask(q, taskId)
      const provider = await findUntried(q, deps, task, attempt)
      // A worker that has just claimed it loses its lease before it sends.
      const canceled = provider && (await applyTransition(q, id, 'cancel', { at }))
      if (!canceled) return
      const refusal = await planAttempt(q, deps, task, attempt, {
        provider,
        delayMs: 0,
        number: await nextNumber(q, task),
      })
      if (refusal) throw refusal
      await concludeTask(q, deps, task, canceled, at)
      q.afterCommit(() => deps.log.info({ attempt: id, task: taskId, from, to: provider }, 'attempt moved'))
    })
    .catch((error: unknown) => deps.log.info({ attempt: id, err: error }, 'moving an attempt failed'))
}
