import { listAttempts } from '../../db/attempts/attempts.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { findTask, getTask, lockTask, updateTask } from '../../db/tasks/tasks.ts'
import { GatewayError } from '../../errors.ts'
import type { Deps } from '../deps.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { planAttempt, startTask } from '../attempts/plan.ts'
import type { Part } from '../attempts/parts.ts'
import { findRoutes, type Route } from '../routing/route.ts'

/** How many possible charges a part may ever have. */
const MAX_CHARGES = 5

/**
 * Tries again because the owner asks. A FAILED or CANCELED task stays as it ended, and a new one with the same request
 * is started; a task whose outcome is unknown goes on itself, with a new attempt. Throws NOT_FOUND, CONFLICT for a task
 * that succeeded or still runs, and CHARGE_PERMISSION_REQUIRED when an earlier attempt may have been charged and
 * `acceptPossibleSecondCharge` is not given, BUDGET_EXCEEDED, PRICE_UNKNOWN and RATE_LIMITED.
 */
export async function retryTask(
  deps: Deps,
  by: CallerWithLimits,
  id: string,
  permission: { acceptPossibleSecondCharge: boolean },
): Promise<TaskRow> {
  await deps.limiter.task(by)
  return deps.db.tx(async (q) => {
    if (!(await findTask(q, by.projectId, id))) {
      throw new GatewayError('NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 60))}.`, {
        field: 'id',
      })
    }
    const task = await lockTask(q, id)
    if (!['FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'].includes(task.status)) {
      throw new GatewayError(
        'CONFLICT',
        `${task.id} is ${task.status}; only a task that failed, was canceled or has an unknown outcome can be retried.`,
        { field: 'id' },
      )
    }
    const attempts = await listAttempts(q, [id])
    if (!permission.acceptPossibleSecondCharge) checkCharges(task, attempts)
    const goesOn = task.status === 'OUTCOME_UNKNOWN'
    // What a task goes on with is its own key's to pay.
    const able = await findRoutes(q, deps, goesOn ? task : by, task.request)
    return goesOn ? goOn(q, deps, by, task, attempts, able) : startAgain(q, deps, by, task, able[0]!)
  })
}

async function startAgain(
  q: Transaction,
  deps: Deps,
  by: CallerWithLimits,
  task: TaskRow,
  route: Route,
): Promise<TaskRow> {
  const { id: retryOf, request, fingerprint } = task
  const start = { by, request, fingerprint, idempotencyKey: null, route, retryOf }
  // Only a key could be taken already, and it has none.
  return (await startTask(q, deps, start))!
}

/** Plans an attempt for each part that has not brought its images, with the permit it takes. */
async function goOn(
  q: Transaction,
  deps: Deps,
  by: CallerWithLimits,
  task: TaskRow,
  attempts: AttemptRow[],
  able: Route[],
): Promise<TaskRow> {
  const lost = unsettledParts(attempts)
  const maxCharges = Math.max(task.maxCharges, ...lost.map(({ charges }) => charges + 1))
  if (maxCharges > MAX_CHARGES) {
    const message = `${task.id} may have been charged ${MAX_CHARGES} times already, which is the most.`
    throw new GatewayError('CONFLICT', message, { field: 'id' })
  }
  const set = { status: 'QUEUED' as const, maxCharges, cancelRequestedAt: null }
  await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], set)
  await deps.limiter.room(q, by)
  for (const { part } of lost) {
    const route = able.find(({ offer }) => offer.capabilities.maxN >= part.n)
    if (!route)
      throw new GatewayError('CAPABILITY_MISSING', `No provider makes ${part.n} images at a time any more.`)
    const refusal = await planAttempt(q, deps, { task, part, provider: route.provider.name, delayMs: 0 })
    if (refusal) throw refusal
  }
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], deps.clock.now())
  return getTask(q, task.id)
}

/** The parts that have not brought their images, and how many possible charges each has had. */
function unsettledParts(attempts: AttemptRow[]): { part: Part; charges: number }[] {
  return [...Map.groupBy(attempts, ({ part }) => part).values()]
    .filter((ofPart) => !ofPart.some(({ state }) => state === 'SUCCEEDED'))
    .map((ofPart) => {
      const { part, n, firstImage } = ofPart[0]!
      return {
        part: { part, n, firstImage },
        charges: ofPart.filter(({ charged }) => charged !== 'NO').length,
      }
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
