import type { Queries } from '../../db/connection/database.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { findRoutes } from '../routing/route.ts'
import { isLive } from './machine.ts'
import { decideRetry, type RetryDecision } from './retry-policy.ts'

export type ReplanDeps = Pick<Deps, 'clock' | 'providers' | 'random' | 'tuning'>

/** Collects what the retry policy depends on, and applies it. `attempts` are all of the task's. */
export async function replan(
  q: Queries,
  deps: ReplanDeps,
  task: TaskRow,
  attempts: readonly AttemptRow[],
  attempt: AttemptRow,
  failure: Failure,
): Promise<RetryDecision> {
  const ofPart = attempts.filter(({ part }) => part === attempt.part)
  const open = ofPart.filter(({ id, charged }) => id === attempt.id || charged !== 'NO').length
  const tried = new Set(ofPart.map(({ provider }) => provider))
  const { attempt: end, next } = decideRetry({
    failure,
    attempts: ofPart.length,
    maxAttempts: deps.tuning.maxAttempts,
    permitsLeft: task.maxCharges - open,
    onUnknownOutcome: task.request.onUnknownOutcome,
    cancelRequested: task.cancelRequestedAt !== null,
    elsewhere: (await listAble(q, deps, task, attempt)).find((name) => !tried.has(name)),
    here: attempt.provider,
    random: deps.random(),
  })
  // A late failure of an earlier attempt: what has begun since continues, and nothing is begun twice.
  const wasLatest = ofPart.at(-1)?.id === attempt.id
  const othersLive = ofPart.some(({ id, state }) => id !== attempt.id && isLive(state))
  return { attempt: end, next: wasLatest && !othersLive ? next : undefined }
}

/** The providers that could make this part, best first; those in cooldown or without a needed price are left out. */
async function listAble(q: Queries, deps: ReplanDeps, task: TaskRow, { n }: AttemptRow): Promise<string[]> {
  try {
    return (await findRoutes(q, deps, task, { ...task.request, n }))
      .filter(
        ({ offer, inCooldown, lacksPrice }) => offer.capabilities.maxN >= n && !inCooldown && !lacksPrice,
      )
      .map(({ provider }) => provider.name)
  } catch (error) {
    // The configuration has changed, and no provider can serve the task any more.
    if (error instanceof GatewayError) return []
    throw error
  }
}
