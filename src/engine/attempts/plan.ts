// How a task and its attempts get into the queue.
import { countAttempts } from '../../db/attempts/counts.ts'
import { insertAttempt } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { insertTask } from '../../db/tasks/tasks.ts'
import type { ImageRequest } from '../../domain.ts'
import type { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Deps } from '../deps.ts'
import { worstCaseMicros } from '../usage/estimate.ts'
import { openBooks, refused, reserve } from './ledger.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { splitIntoParts, type Part } from './parts.ts'
import { findOffer } from '../routing/configured.ts'
import type { Route } from '../routing/route.ts'

/** Inserts a task with the first attempt of each of its parts, and its first event; undefined when the idempotency key is taken. Throws BUDGET_EXCEEDED, PRICE_UNKNOWN and RATE_LIMITED. */
export async function startTask(
  q: Transaction,
  deps: Deps,
  start: {
    by: CallerWithLimits
    request: ImageRequest
    fingerprint: string
    idempotencyKey: string | null
    route: Route
    retryOf: string | null
  },
): Promise<TaskRow | undefined> {
  const { by, request, route, ...rest } = start
  const parts = splitIntoParts(request.n, route.offer.capabilities.maxN)
  const createdAt = deps.clock.now()
  const task = await insertTask(q, {
    projectId: by.projectId,
    apiKeyId: by.apiKeyId,
    ...rest,
    id: newId('task', createdAt),
    status: 'QUEUED',
    operation: request.operation,
    model: request.model,
    request,
    maxCharges: request.maxCharges,
    traceparent: deps.tracing.here(),
    parts: parts.length,
    warnings: route.match.warnings,
    createdAt,
    lastSeq: 0,
  })
  if (!task) return undefined
  await deps.limiter.room(q, by)
  for (const part of parts) {
    const refusal = await planAttempt(q, deps, { task, part, provider: route.provider.name, delayMs: 0 })
    if (refusal) throw refusal
  }
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], createdAt)
  return { ...task, lastSeq: 1 }
}

/**
 * Puts the next attempt of a part into the queue, due `delayMs` from now, and holds the most it could cost. Answers the
 * GatewayError when no budget allows that; nothing is planned then.
 */
export async function planAttempt(
  q: Transaction,
  deps: Deps,
  plan: { task: PlannedFor; part: Part; provider: string; delayMs: number },
): Promise<GatewayError | undefined> {
  const createdAt = deps.clock.now()
  const { task, part, provider, delayMs } = plan
  const { id: taskId, projectId, apiKeyId, model } = task
  const offer = findOffer(deps.providers, provider, model)
  const heldMicros = offer ? worstCaseMicros(task.request, offer, part.n) : null
  const refusal = await reserve(q, task, createdAt, heldMicros)
  if (refusal) return refused(refusal, { provider, model, heldMicros, apiKeyId })
  const number = (await countAttempts(q, taskId)) + 1
  const id = newId('att', createdAt)
  const row = { id, taskId, projectId, apiKeyId, model, ...part, number, provider, heldMicros, createdAt }
  await openBooks(q, await insertAttempt(q, row, delayMs), offer?.price?.version ?? null)
  return undefined
}

type PlannedFor = Pick<TaskRow, 'id' | 'projectId' | 'apiKeyId' | 'model' | 'request'>
