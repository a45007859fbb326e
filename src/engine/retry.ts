import { listAttempts } from '../db/attempts.ts'
import { appendEvents } from '../db/events.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { findTask, getTask, lockTask, updateTask } from '../db/tasks.ts'
import { GatewayError } from '../errors.ts'
import type { Deps } from './deps.ts'
import { planAttempt, startTask } from './plan.ts'
import { findResting } from './health.ts'
import type { Part } from './parts.ts'
import { routes, todayOf } from './route.ts'

/**
 * Tries again because the owner asks. A FAILED or CANCELED task stays as it ended, and a new one with the same request
 * is started; a task whose outcome is unknown goes on itself, with a new attempt. Throws NOT_FOUND, CONFLICT for a task
 * that succeeded or still runs, and CHARGE_PERMISSION_REQUIRED when an earlier attempt may have been charged and
 * `acceptPossibleSecondCharge` is not given.
 */
export async function retryTask(
  deps: Deps,
  projectId: string,
  id: string,
  permission: { acceptPossibleSecondCharge: boolean },
): Promise<TaskRow> {
  return await deps.db.tx(async (q) => {
    if (!(await findTask(q, projectId, id))) {
      throw new GatewayError('NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 60))}.`, { field: 'id' })
    }
    const task = await lockTask(q, id)
    if (!['FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'].includes(task.status)) {
      throw new GatewayError('CONFLICT', `${task.id} is ${task.status}; only a task that failed, was canceled or has an unknown outcome can be retried.`, { field: 'id' })
    }
    const attempts = await listAttempts(q, [id])
    if (!permission.acceptPossibleSecondCharge) checkCharges(task, attempts)
    const [best] = routes(task.request, deps.providers, { today: todayOf(deps), resting: await findResting(q) })
    const route = best!
    if (task.status !== 'OUTCOME_UNKNOWN') {
      const { projectId: owner, request, fingerprint } = task
      const again = await startTask(q, deps, { projectId: owner, request, fingerprint, idempotencyKey: null, route, retryOf: task.id })
      return again!
    }
    const lost = unsettledParts(attempts)
    const maxCharges = Math.max(task.maxCharges, ...lost.map(({ charges }) => charges + 1))
    if (maxCharges > 5) throw new GatewayError('CONFLICT', `${task.id} may have been charged five times already, which is the most.`, { field: 'id' })
    await updateTask(q, id, ['OUTCOME_UNKNOWN'], { status: 'QUEUED', maxCharges, cancelRequestedAt: null })
    for (const { part } of lost) await planAttempt(q, deps, { task, part, provider: route.provider.name, delayMs: 0 })
    await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], deps.clock.now())
    return await getTask(q, id)
  })
}

/** The parts that have not brought their images, and how many possible charges each has had. */
function unsettledParts(attempts: AttemptRow[]): { part: Part; charges: number }[] {
  return [...Map.groupBy(attempts, ({ part }) => part).values()]
    .filter((ofPart) => !ofPart.some(({ state }) => state === 'SUCCEEDED'))
    .map((ofPart) => {
      const { part, n, firstImage } = ofPart[0]!
      return { part: { part, n, firstImage }, charges: ofPart.filter(({ charged }) => charged !== 'NO').length }
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
