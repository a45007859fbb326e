import { listAttempts } from '../../db/attempts/attempts.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { lockTaskOfProject } from '../../db/tasks/tasks.ts'
import type { TaskStatus } from '../../domain.ts'
import { conflict, GatewayError, notFound } from '../../errors.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { resumeTask, startTask, type Part } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import { findRoutes } from '../routing/route.ts'

/** Of a part. */
const MAX_CHARGES = 5

const RETRYABLE: readonly TaskStatus[] = ['FAILED', 'CANCELED', 'OUTCOME_UNKNOWN']

/**
 * Creates a new task for a FAILED or CANCELED one; resumes one with an unknown outcome. Throws NOT_FOUND,
 * CONFLICT, CHARGE_PERMISSION_REQUIRED when an attempt may have been charged, BUDGET_EXCEEDED, PRICE_UNKNOWN,
 * RATE_LIMITED, and as `findRoutes`.
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
    if (!RETRYABLE.includes(task.status))
      throw conflict(`${task.id} is ${task.status}; it must be one of ${RETRYABLE.join(', ')}.`, 'id')
    const attempts = await listAttempts(q, [id])
    if (!permission.acceptPossibleSecondCharge) checkCharges(task, attempts)
    const { request, fingerprint } = task
    const isResumed = task.status === 'OUTCOME_UNKNOWN'
    // Its own key's budgets apply.
    const routes = await findRoutes(q, deps, isResumed ? task : by, request)
    if (isResumed) return resumeTask(q, deps, by, task, { ...unsettledParts(task, attempts), routes })
    const start = { by, request, fingerprint, idempotencyKey: null, route: routes[0]!, retryOf: id }
    // Undefined only for a used idempotency key.
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

/** With the maximum of charges that permits one more attempt of each part. Throws CONFLICT. */
function unsettledParts(task: TaskRow, attempts: AttemptRow[]): { parts: Part[]; maxCharges: number } {
  const unsettled = [...Map.groupBy(attempts, ({ part }) => part).values()].filter(
    (ofPart) => !ofPart.some(({ state }) => state === 'SUCCEEDED'),
  )
  const charges = unsettled.map((ofPart) => ofPart.filter(({ charged }) => charged !== 'NO').length)
  const maxCharges = Math.max(task.maxCharges, ...charges.map((count) => count + 1))
  if (maxCharges > MAX_CHARGES)
    throw conflict(`${task.id} may have been charged ${MAX_CHARGES} times, which is the maximum.`, 'id')
  const parts = unsettled.map(([first]) => {
    const { part, n, firstImage } = first!
    return { part, n, firstImage }
  })
  return { parts, maxCharges }
}
