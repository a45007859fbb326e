import { countAttempts } from '../../db/attempts/counts.ts'
import { insertAttempt } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { appendEvents } from '../../db/tasks/events.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { getTask, insertTask, updateTask } from '../../db/tasks/tasks.ts'
import type { ImageRequest } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import type { Deps } from '../deps.ts'
import { findOffer } from '../routing/configured.ts'
import type { Route } from '../routing/route.ts'
import { priceVersionOf, worstCaseMicros } from '../usage/cost.ts'
import { holdWorstCase, recordPlanned, toGatewayError } from './ledger.ts'

/** The images that one attempt requests. */
export interface Part {
  part: number
  n: number
  /** Position in the task. */
  firstImage: number
}

export function splitIntoParts(n: number, maxN: number): Part[] {
  return Array.from({ length: Math.ceil(n / maxN) }, (_, part) => {
    const firstImage = part * maxN
    return { part, n: Math.min(maxN, n - firstImage), firstImage }
  })
}

/** Undefined when the idempotency key is taken. Throws BUDGET_EXCEEDED, PRICE_UNKNOWN and RATE_LIMITED. */
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
  const parts = splitIntoParts(request.n, route.match.maxN)
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
    traceparent: deps.tracing.traceparent(),
    parts: parts.length,
    warnings: route.match.warnings,
    createdAt,
    lastSeq: 1,
  })
  if (!task) return undefined
  await planParts(q, deps, by, task, parts, { number: 1, routeFor: () => route })
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], createdAt, task.lastSeq)
  return task
}

/** Continues an OUTCOME_UNKNOWN task. Throws BUDGET_EXCEEDED, PRICE_UNKNOWN, RATE_LIMITED and CAPABILITY_MISSING. */
export async function resumeTask(
  q: Transaction,
  deps: Deps,
  by: CallerWithLimits,
  task: TaskRow,
  { parts, maxCharges, routes }: { parts: Part[]; maxCharges: number; routes: Route[] },
): Promise<TaskRow> {
  const at = deps.clock.now()
  await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], { status: 'QUEUED', maxCharges, cancelRequestedAt: null })
  const number = await nextNumber(q, task)
  const routeFor = ({ n }: Part) => {
    const route = routes.find(({ match }) => match.maxN >= n)
    if (route) return route
    throw new GatewayError('CAPABILITY_MISSING', `No configured provider supports n of ${n} per call.`)
  }
  await planParts(q, deps, by, task, parts, { number, routeFor })
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], at)
  return getTask(q, task.id)
}

async function planParts(
  q: Transaction,
  deps: Deps,
  by: CallerWithLimits,
  task: TaskRow,
  parts: Part[],
  { number, routeFor }: { number: number; routeFor: (part: Part) => Route },
): Promise<void> {
  await deps.limiter.checkConcurrency(q, by)
  for (const [i, part] of parts.entries()) {
    const next = { provider: routeFor(part).provider.name, delayMs: 0, number: number + i }
    const refusal = await planAttempt(q, deps, task, part, next)
    if (refusal) throw refusal
  }
}

/** Of the next attempt of a task, from 1. */
export async function nextNumber(q: Transaction, { id }: Pick<TaskRow, 'id'>): Promise<number> {
  return (await countAttempts(q, id)) + 1
}

/**
 * Queues an attempt and holds its worst-case cost. Returns an error, and plans nothing, when a budget
 * refuses.
 */
export async function planAttempt(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  { part, n, firstImage }: Part,
  { provider, delayMs, number }: { provider: string; delayMs: number; number: number },
): Promise<GatewayError | undefined> {
  const createdAt = deps.clock.now()
  const { id: taskId, projectId, apiKeyId, model } = task
  const offer = findOffer(deps.providers, provider, model)
  const heldMicros = offer ? worstCaseMicros(task.request, offer, n) : null
  const refusal = await holdWorstCase(q, task, createdAt, heldMicros)
  if (refusal) return toGatewayError(refusal, { provider, model, heldMicros, apiKeyId })
  const owner = { taskId, projectId, apiKeyId }
  const planned = { part, n, firstImage, number, provider, model, heldMicros, createdAt }
  const attempt = await insertAttempt(q, { id: newId('att', createdAt), ...owner, ...planned }, delayMs)
  await recordPlanned(q, attempt, priceVersionOf(task.request, offer))
  return undefined
}
