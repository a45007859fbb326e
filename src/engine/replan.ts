import { listAttempts } from '../db/attempts.ts'
import type { Transaction } from '../db/database.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { GatewayError } from '../errors.ts'
import type { Failure } from '../providers/error.ts'
import type { Deps } from './deps.ts'
import { routes } from './route.ts'
import { verdict, type Verdict } from './verdict.ts'

/** Gathers what a verdict needs, and passes it. */
export async function replan(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  failure: Failure,
): Promise<Verdict> {
  const attempts = await listAttempts(q, [task.id])
  const asked = new Set(attempts.map(({ provider }) => provider))
  return verdict({
    failure,
    attempts: attempts.length,
    maxAttempts: deps.tuning.maxAttempts,
    permitsLeft: task.maxCharges - task.chargesOpen,
    onUnknownOutcome: task.request.onUnknownOutcome,
    cancelRequested: task.cancelRequestedAt !== null,
    elsewhere: able(deps, task).find((name) => !asked.has(name)),
    here: attempt.provider,
    random: deps.random(),
  })
}

function able(deps: Deps, task: TaskRow): string[] {
  try {
    const today = new Date(deps.clock.now()).toISOString().slice(0, 10)
    return routes(task.request, deps.providers, today).map(({ provider }) => provider.name)
  } catch (error) {
    // The configuration changed, and nobody can serve it any more.
    if (error instanceof GatewayError) return []
    throw error
  }
}
