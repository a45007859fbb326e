import { createHash } from 'node:crypto'
import { insertAssets } from '../../db/tasks/assets.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findTaskByKey } from '../../db/tasks/tasks.ts'
import type { ImageRequest } from '../../domain.ts'
import { conflict, GatewayError } from '../../errors.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { startTask } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import { storeInputs, type StoredInputs } from '../images/store-inputs.ts'
import { findRoutes } from '../routing/route.ts'
import { checkInput, type CheckedInput, type TaskInput } from './input.ts'

export interface CreatedTask {
  task: TaskRow
  /** The idempotency key was known: no task was created. */
  replayed: boolean
}

/** Commits task, first attempts and first event together. Sends nothing. Throws GatewayError, without any row. */
export async function createTask(deps: Deps, by: CallerWithLimits, input: TaskInput): Promise<CreatedTask> {
  const checked = checkInput(input, deps)
  const { projectId } = by
  const { idempotencyKey: key } = checked
  // A known key returns its task, even when no provider could serve it now.
  const known = key === null ? undefined : await findTaskByKey(deps.db.read, projectId, key)
  const [route] = known ? [] : await findRoutes(deps.db.read, deps, by, checked)
  await deps.limiter.countSubmission(by, { tasks: route ? 1 : 0, uploadBytes: checked.uploadBytes })
  const inputs = await storeInputs(deps, projectId, checked.inputs)
  const { request, fingerprint } = toRequest(checked, inputs)
  if (!route) return replay(known, key, fingerprint)

  return deps.db.tx(async (q) => {
    const start = { by, request, fingerprint, idempotencyKey: key, route, retryOf: null }
    const task = await startTask(q, deps, start)
    // A concurrent request was first.
    if (!task) return replay(await findTaskByKey(q, projectId, key!), key, fingerprint)
    const { images, mask } = inputs
    const rows = [...images, ...(mask ? [mask] : [])].flatMap(({ row }) => row ?? [])
    await insertAssets(
      q,
      rows.map((row) => ({ ...row, taskId: task.id })),
    )
    return { task, replayed: false }
  })
}

function replay(task: TaskRow | undefined, key: string | null, fingerprint: string): CreatedTask {
  if (task && task.deletedAt !== null)
    throw conflict(
      `The idempotency key ${JSON.stringify(key)} belongs to ${task.id}, which was deleted. Use a new key to pay for a new task.`,
      'idempotencyKey',
    )
  if (task?.fingerprint === fingerprint) return { task, replayed: true }
  throw new GatewayError(
    'IDEMPOTENCY_KEY_REUSED',
    `The idempotency key ${JSON.stringify(key)} belongs to ${task?.id}, which has other input. ` +
      'Use a new key for a new request, or send the same input to get the same task.',
    { field: 'idempotencyKey' },
  )
}

export interface FingerprintedRequest {
  request: ImageRequest
  /** Of request and image contents, however sent. Tells a repeated request from a reused key. */
  fingerprint: string
}

export function toRequest(input: CheckedInput, { images, mask }: StoredInputs): FingerprintedRequest {
  const {
    idempotencyKey: _key,
    uploadBytes: _bytes,
    inputs: _inputs,
    images: _images,
    mask: _mask,
    metadata,
    ...settings
  } = input
  const labels = metadata.map(({ key, value }): [string, string] => [key, value])
  const canonical = JSON.stringify([
    Object.entries(settings).toSorted(byName),
    labels.toSorted(byName),
    images.map(({ identity }) => identity),
    mask?.identity ?? null,
  ])
  return {
    request: {
      ...settings,
      images: images.map(({ image }) => image),
      mask: mask?.image ?? null,
      metadata: Object.fromEntries(labels),
    },
    fingerprint: createHash('sha256').update(canonical).digest('hex'),
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
