import { createHash } from 'node:crypto'
import { insertAssets } from '../db/assets.ts'
import { insertAttempt } from '../db/attempts.ts'
import type { Transaction } from '../db/database.ts'
import { appendEvents } from '../db/events.ts'
import type { TaskRow } from '../db/tables.ts'
import { findTaskByKey, insertTask } from '../db/tasks.ts'
import type { ImageRequest, Warning } from '../domain.ts'
import { badInput, GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Deps } from './deps.ts'
import { takeImage, type TakenImage } from './images.ts'
import { checkInput, type TaskInput } from './input.ts'
import { routes } from './route.ts'

/** A task, new or found again by its idempotency key. */
export interface Created {
  task: TaskRow
  /** True when the key was known and nothing new was started. */
  replayed: boolean
}

/**
 * Takes a request: checks it, stores its images, and commits task, first attempt and first event together. Nothing is
 * sent here. Throws GatewayError, and then nothing was stored.
 */
export async function createTask(deps: Deps, projectId: string, input: TaskInput): Promise<Created> {
  checkInput(input)
  const bare = toRequest(input)
  const today = new Date(deps.clock.now()).toISOString().slice(0, 10)
  const [best] = routes(bare, deps.providers, today)
  const { images, mask } = await takeImages(deps, projectId, input)
  const taken = mask ? [...images, mask] : images
  const request: ImageRequest = { ...bare, images: images.map(({ image }) => image), mask: mask?.image ?? null }
  const fingerprint = fingerprintOf(bare, images, mask)

  return await deps.db.tx(async (q) => {
    const task = await startTask(q, deps, {
      projectId,
      request,
      fingerprint,
      idempotencyKey: input.idempotencyKey,
      provider: best!.provider.name,
      warnings: best!.fit.warnings,
      retryOf: null,
    })
    if (!task) return await replay(q, projectId, input.idempotencyKey!, fingerprint)
    await insertAssets(
      q,
      taken.flatMap(({ row }) => (row ? [{ ...row, taskId: task.id }] : [])),
    )
    return { task, replayed: false }
  })
}

/** Inserts a task with its first attempt and its first event; undefined when the idempotency key is taken. */
export async function startTask(
  q: Transaction,
  deps: Deps,
  start: {
    projectId: string
    request: ImageRequest
    fingerprint: string
    idempotencyKey: string | null
    provider: string
    warnings: Warning[]
    retryOf: string | null
  },
): Promise<TaskRow | undefined> {
  const { request, provider, ...rest } = start
  const createdAt = deps.clock.now()
  const task = await insertTask(q, {
    ...rest,
    id: newId('task', createdAt),
    status: 'QUEUED',
    operation: request.operation,
    model: request.model,
    request,
    maxCharges: request.maxCharges,
    createdAt,
    lastSeq: 0,
  })
  if (!task) return undefined
  await planAttempt(q, deps, { task, number: 1, provider, delayMs: 0 })
  await appendEvents(q, task, [{ type: 'TASK_QUEUED' }], createdAt)
  return { ...task, lastSeq: 1 }
}

/** Puts an attempt into the queue. */
export async function planAttempt(
  q: Transaction,
  deps: Deps,
  plan: { task: Pick<TaskRow, 'id' | 'projectId' | 'model'>; number: number; provider: string; delayMs: number },
): Promise<void> {
  const createdAt = deps.clock.now()
  const { task, number, provider } = plan
  const attempt = { id: newId('att', createdAt), taskId: task.id, projectId: task.projectId, model: task.model, number, provider, createdAt }
  await insertAttempt(q, attempt, plan.delayMs)
}

async function replay(q: Transaction, projectId: string, key: string, fingerprint: string): Promise<Created> {
  const task = await findTaskByKey(q, projectId, key)
  if (task?.fingerprint === fingerprint) return { task, replayed: true }
  throw new GatewayError(
    'IDEMPOTENCY_KEY_REUSED',
    `The idempotency key ${JSON.stringify(key)} belongs to ${task?.id}, which was asked with other input. ` +
      'Use a new key for a new request, or send the same input to get the same task.',
    { field: 'idempotencyKey' },
  )
}

async function takeImages(deps: Deps, projectId: string, input: TaskInput) {
  const images: TakenImage[] = []
  for (const [position, raw] of input.images.entries()) {
    images.push(await takeImage(deps, projectId, raw, { field: `images.${position}`, kind: 'INPUT', position }))
  }
  const mask = input.mask && (await takeImage(deps, projectId, input.mask, { field: 'mask', kind: 'MASK', position: 0 }))
  const [first] = images
  if (mask?.facts && first?.facts) checkMask(mask.facts, first.facts)
  return { images, mask }
}

function checkMask(mask: { width: number; height: number }, image: { width: number; height: number }): void {
  if (mask.width === image.width && mask.height === image.height) return
  throw badInput(
    'mask',
    `The mask is ${mask.width}x${mask.height} and the first image ${image.width}x${image.height}; both must be the same size.`,
  )
}

function toRequest(input: TaskInput): ImageRequest {
  const { images, metadata, mask, idempotencyKey: _, ...settings } = input
  return {
    ...settings,
    operation: images.length > 0 ? 'EDIT' : 'GENERATE',
    // Placeholders of the right number, until the images are taken in: routing asks how many there are.
    images: images.map(() => ({ url: '' })),
    mask: mask && { url: '' },
    metadata: Object.fromEntries(metadata.map(({ key, value }) => [key, value])),
  }
}

/** SHA-256 over the input and the content of its images: equal for equal requests, whatever way the images came. */
function fingerprintOf(request: ImageRequest, images: TakenImage[], mask: TakenImage | null): string {
  const { images: _, mask: __, metadata, ...settings } = request
  const canonical = JSON.stringify([
    Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    images.map(({ identity }) => identity),
    mask?.identity ?? null,
  ])
  return createHash('sha256').update(canonical).digest('hex')
}
