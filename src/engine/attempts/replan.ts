import type { Queries } from '../../db/connection/database.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { isLive } from './machine.ts'
import { findRoutes } from '../routing/route.ts'
import { decideRetry, type RetryDecision } from './retry-policy.ts'

/** Gathers what a verdict needs, and passes it. `attempts` are all of the task's. */
export async function replan(
  q: Queries,
  deps: Deps,
  task: TaskRow,
  attempts: readonly AttemptRow[],
  attempt: AttemptRow,
  failure: Failure,
): Promise<RetryDecision> {
  const ofPart = attempts.filter(({ part }) => part === attempt.part)
  const open = ofPart.filter(({ id, charged }) => id === attempt.id || charged !== 'NO').length
  const asked = new Set(ofPart.map(({ provider }) => provider))
  const { attempt: end, next } = decideRetry({
    failure,
    attempts: ofPart.length,
    maxAttempts: deps.tuning.maxAttempts,
    permitsLeft: task.maxCharges - open,
    onUnknownOutcome: task.request.onUnknownOutcome,
    cancelRequested: task.cancelRequestedAt !== null,
    elsewhere: (await able(q, deps, task, attempt)).find((name) => !asked.has(name)),
    here: attempt.provider,
    random: deps.random(),
  })
  // News of an attempt that was given up before: what has begun since goes on, and nothing begins twice.
  const wasLatest = ofPart.at(-1)?.id === attempt.id
  const goesOn = ofPart.some(({ id, state }) => id !== attempt.id && isLive(state))
  return { attempt: end, next: wasLatest && !goesOn ? next : undefined }
}

/** The providers that could make this part, best first; those in cooldown or without a needed price are left out. */
async function able(q: Queries, deps: Deps, task: TaskRow, { n }: AttemptRow): Promise<string[]> {
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
