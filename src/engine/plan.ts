// How a task and its attempts get into the queue.
import { countAttempts } from '../db/attempt-counts.ts'
import { insertAttempt } from '../db/attempts.ts'
import type { Transaction } from '../db/database.ts'
import { appendEvents } from '../db/events.ts'
import type { TaskRow } from '../db/tables.ts'
import { insertTask } from '../db/tasks.ts'
import type { ImageRequest } from '../domain.ts'
import { newId } from '../ids.ts'
import type { Deps } from './deps.ts'
import { splitIntoParts, type Part } from './parts.ts'
import type { Route } from './route.ts'

/** Inserts a task with the first attempt of each of its parts, and its first event; undefined when the idempotency key is taken. */
export async function startTask(
  q: Transaction,
  deps: Deps,
  start: {
    projectId: string
    request: ImageRequest
    fingerprint: string
    idempotencyKey: string | null
    route: Route
    retryOf: string | null
  },
): Promise<TaskRow | undefined> {
  const { request, route, ...rest } = start
  const parts = splitIntoParts(request.n, route.offer.capabilities.maxN)
  const createdAt = deps.clock.now()
  const task = await insertTask(q, {
    ...rest,
    id: newId('task', createdAt),
    status: 'QUEUED',
    operation: request.operation,
    model: request.model,
    request,
    maxCharges: request.maxCharges,
    parts: parts.length,
    warnings: route.fit.warnings,
    createdAt,
    lastSeq: 0,
  })
  if (!task) return undefined
  for (const part of parts)
    await planAttempt(q, deps, { task, part, provider: route.provider.name, delayMs: 0 })
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], createdAt)
  return { ...task, lastSeq: 1 }
}

/** Puts the next attempt of a part into the queue, due `delayMs` from now. */
export async function planAttempt(
  q: Transaction,
  deps: Deps,
  plan: { task: Pick<TaskRow, 'id' | 'projectId' | 'model'>; part: Part; provider: string; delayMs: number },
): Promise<void> {
  const createdAt = deps.clock.now()
  const { task, part, provider, delayMs } = plan
  const { id: taskId, projectId, model } = task
  const number = (await countAttempts(q, taskId)) + 1
  const id = newId('att', createdAt)
  await insertAttempt(q, { id, taskId, projectId, model, ...part, number, provider, createdAt }, delayMs)
}
