// How a task and its attempts get into the queue.
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
import { worstCaseMicros } from '../usage/estimate.ts'
import { recordPlanned, refused, reserve } from './ledger.ts'

/** A share of a task's images that one attempt requests. */
export interface Part {
  part: number
  /** How many images. */
  n: number
  /** The position of its first image among the task's. */
  firstImage: number
}

/** Pure. Splits `n` images into as few parts as a provider with `maxN` images per call allows. */
export function splitIntoParts(n: number, maxN: number): Part[] {
  return Array.from({ length: Math.ceil(n / maxN) }, (_, part) => {
    const firstImage = part * maxN
    return { part, n: Math.min(maxN, n - firstImage), firstImage }
  })
}

export type PlanDeps = Pick<Deps, 'clock' | 'providers'>
export type StartDeps = PlanDeps & Pick<Deps, 'limiter' | 'tracing'>

/**
 * Inserts a task with the first attempt of each of its parts, and its first event; undefined when the idempotency key is
 * taken. Throws BUDGET_EXCEEDED, PRICE_UNKNOWN and RATE_LIMITED.
 */
export async function startTask(
  q: Transaction,
  deps: StartDeps,
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
  await planParts(q, deps, by, task, { parts, at: createdAt, routeFor: () => route })
  return { ...task, lastSeq: 1 }
}

/**
 * Continues a task whose outcome is unknown: an attempt for each of `parts`, with as many charges permitted as
 * `maxCharges` says. Throws BUDGET_EXCEEDED, PRICE_UNKNOWN, RATE_LIMITED and CAPABILITY_MISSING.
 */
export async function resumeTask(
  q: Transaction,
  deps: StartDeps,
  by: CallerWithLimits,
  task: TaskRow,
  { parts, maxCharges, routes }: { parts: Part[]; maxCharges: number; routes: Route[] },
): Promise<TaskRow> {
  await updateTask(q, task.id, ['OUTCOME_UNKNOWN'], { status: 'QUEUED', maxCharges, cancelRequestedAt: null })
  const routeFor = ({ n }: Part): Route => {
    const route = routes.find(({ offer }) => offer.capabilities.maxN >= n)
    if (route) return route
    throw new GatewayError('CAPABILITY_MISSING', `No provider makes ${n} images at a time any more.`)
  }
  await planParts(q, deps, by, task, { parts, at: deps.clock.now(), routeFor })
  return getTask(q, task.id)
}

async function planParts(
  q: Transaction,
  deps: StartDeps,
  by: CallerWithLimits,
  task: TaskRow,
  { parts, at, routeFor }: { parts: Part[]; at: number; routeFor: (part: Part) => Route },
): Promise<void> {
  await deps.limiter.concurrency(q, by)
  for (const part of parts) {
    const { provider } = routeFor(part)
    const refusal = await planAttempt(q, deps, { task, part, provider: provider.name, delayMs: 0 })
    if (refusal) throw refusal
  }
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], at)
}

/**
 * Puts the next attempt of a part into the queue, due `delayMs` from now, and holds the most it could cost. Returns the
 * GatewayError when no budget allows that; nothing is planned then.
 */
export async function planAttempt(
  q: Transaction,
  deps: PlanDeps,
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
  await recordPlanned(q, await insertAttempt(q, row, delayMs), offer?.price?.version ?? null)
  return undefined
}

type PlannedFor = Pick<TaskRow, 'id' | 'projectId' | 'apiKeyId' | 'model' | 'request'>
