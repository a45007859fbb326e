import { listAttempts } from '../../db/attempts/attempts.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { lockTaskOfProject } from '../../db/tasks/tasks.ts'
import { GatewayError, notFound } from '../../errors.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { resumeTask, startTask, type Part } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import { findRoutes } from '../routing/route.ts'

/** The maximum number of possible charges of a part. */
const MAX_CHARGES = 5

/**
 * Retries a task. For a FAILED or CANCELED task, creates a new one with the same request; resumes a task with an unknown
 * outcome with new attempts. Throws NOT_FOUND, CONFLICT for a task in another status, CHARGE_PERMISSION_REQUIRED when an
 * attempt may have been charged and `acceptPossibleSecondCharge` is false, BUDGET_EXCEEDED, PRICE_UNKNOWN, RATE_LIMITED,
 * and as `findRoutes` does.
 */
export async function retryTask(
  deps: Deps,
  by: CallerWithLimits,
  id: string,
  permission: { acceptPossibleSecondCharge: boolean },
): Promise<TaskRow> {
  await deps.limiter.countSubmission(by, { tasks: 1, uploadBytes: 0 })
  return deps.db.tx(async (q) => {
    const task = await lockTaskOfProject(q, by.projectId, id)
    if (!task) throw notFound('task', id, 'id')
    if (!['FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'].includes(task.status)) {
      throw new GatewayError(
        'CONFLICT',
        `${task.id} is ${task.status}; only a task that failed, was canceled or has an unknown outcome can be retried.`,
        { field: 'id' },
      )
    }
    const attempts = await listAttempts(q, [id])
    if (!permission.acceptPossibleSecondCharge) checkCharges(task, attempts)
    const { request, fingerprint } = task
    const isResumed = task.status === 'OUTCOME_UNKNOWN'
    // The budgets of its own key apply to a resumed task.
    const routes = await findRoutes(q, deps, isResumed ? task : by, request)
    if (isResumed) return resumeTask(q, deps, by, task, { ...unsettledParts(task, attempts), routes })
    const start = { by, request, fingerprint, idempotencyKey: null, route: routes[0]!, retryOf: id }
    // Undefined only for an idempotency key in use, and it has none.
    return (await startTask(q, deps, start))!
  })
}

function checkCharges(task: TaskRow, attempts: AttemptRow[]): void {
  const charged = attempts.find((attempt) => attempt.charged !== 'NO')
  if (!charged) return
  const how = charged.charged === 'YES' ? 'was charged' : 'may have been charged'
  throw new GatewayError(
    'CHARGE_PERMISSION_REQUIRED',
    `Attempt ${charged.number} of ${task.id} at ${charged.provider} ${how}. To send it again and possibly pay twice, ` +
      'pass acceptPossibleSecondCharge: true.',
    { field: 'acceptPossibleSecondCharge' },
  )
}

/** The parts without a result, and the maximum of charges that permits one more attempt of each. Throws CONFLICT. */
function unsettledParts(task: TaskRow, attempts: AttemptRow[]): { parts: Part[]; maxCharges: number } {
  const unsettled = [...Map.groupBy(attempts, ({ part }) => part).values()].filter(
    (ofPart) => !ofPart.some(({ state }) => state === 'SUCCEEDED'),
  )
  const charges = unsettled.map((ofPart) => ofPart.filter(({ charged }) => charged !== 'NO').length)
  const maxCharges = Math.max(task.maxCharges, ...charges.map((count) => count + 1))
  if (maxCharges > MAX_CHARGES) {
    const message = `${task.id} may have been charged ${MAX_CHARGES} times, which is the maximum.`
    throw new GatewayError('CONFLICT', message, { field: 'id' })
  }
  const parts = unsettled.map(([first]) => {
    const { part, n, firstImage } = first!
    return { part, n, firstImage }
  })
  return { parts, maxCharges }
}
