import { createHash } from 'node:crypto'
import type { Transaction } from '../../db/connection/database.ts'
import { insertAssets } from '../../db/tasks/assets.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findTaskByKey } from '../../db/tasks/tasks.ts'
import type { ImageRequest } from '../../domain.ts'
import { conflict, GatewayError } from '../../errors.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { startTask } from '../attempts/plan.ts'
import type { Deps } from '../deps.ts'
import { storeInputs, type StoredInputs } from '../images/store-inputs.ts'
import { findRoutes, type Route } from '../routing/route.ts'
import type { ServedCall } from './calls.ts'
import { checkInput, type CheckedInput, type TaskInput } from './input.ts'

export interface CreatedTask {
  task: TaskRow
  /** No task was created: a known idempotency key, or a repeated call. */
  replayed: boolean
  /** How the request repeats a call. */
  attached?: ServedCall['attached']
}

/**
 * Commits task, first attempts and first event together. Sends nothing. Throws GatewayError, without any row.
 */
export async function createTask(deps: Deps, by: CallerWithLimits, input: TaskInput): Promise<CreatedTask> {
  const checked = checkInput(input, deps)
  const { projectId } = by
  const { idempotencyKey: key } = checked
  // A known key returns its task, even if no provider could serve it.
  const known = key === null ? undefined : await findTaskByKey(deps.db.read, projectId, key)
  const [route] = known ? [] : await findRoutes(deps.db.read, deps, by, checked)
  await deps.limiter.countSubmission(by, { tasks: route ? 1 : 0, uploadBytes: checked.uploadBytes })
  const inputs = await storeInputs(deps, projectId, checked.inputs)
  const { request, fingerprint } = toRequest(checked, inputs)
  if (!route) return replay(known, key, fingerprint)

  return deps.db.tx(async (q) => {
    const task = await insertNew(q, deps, by, { request, fingerprint, key, route, inputs })
    // A concurrent request was first.
    if (!task) return replay(await findTaskByKey(q, projectId, key!), key, fingerprint)
    return { task, replayed: false }
  })
}

/** Undefined if the idempotency key is taken. */
export async function insertNew(
  q: Transaction,
  deps: Deps,
  by: CallerWithLimits,
  {
    key,
    inputs,
    ...start
  }: FingerprintedRequest & { key: string | null; route: Route; inputs: StoredInputs },
): Promise<TaskRow | undefined> {
  const task = await startTask(q, deps, { by, ...start, idempotencyKey: key, retryOf: null })
  if (!task) return undefined
  const { images, mask, markup } = inputs
  const rows = [...images, mask, markup].flatMap((one) => one?.row ?? [])
  await insertAssets(
    q,
    rows.map((row) => ({ ...row, taskId: task.id })),
  )
  return task
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

export function toRequest(input: CheckedInput, { images, mask, markup }: StoredInputs): FingerprintedRequest {
  const {
    idempotencyKey: _key,
    uploadBytes: _bytes,
    inputs: _inputs,
    images: _images,
    mask: _mask,
    markup: _markup,
    metadata,
    ...settings
  } = input
  const labels = metadata.map(({ key, value }): [string, string] => [key, value])
  const canonical = JSON.stringify([
    // Previews change no result.
    Object.entries({ ...settings, partialImages: 0 })
      .filter(isFingerprinted)
      .map(withSortedNames)
      .toSorted(byName),
    labels.toSorted(byName),
    images.map(({ identity }) => identity),
    mask?.identity ?? null,
    ...(markup ? [markup.identity] : []),
  ])
  return {
    request: {
      ...settings,
      images: images.map(({ image }) => image),
      mask: mask?.image ?? null,
      markup: markup?.image ?? null,
      metadata: Object.fromEntries(labels),
    },
    fingerprint: createHash('sha256').update(canonical).digest('hex'),
  }
}

const LATER_SETTINGS = new Set(['safetyIdentifier', 'complexity', 'animation', 'svg', 'extra'])

/** Later settings at their default keep the fingerprints of version 0.2 valid. */
function isFingerprinted([name, value]: [string, unknown]): boolean {
  return value !== null || !LATER_SETTINGS.has(name)
}

function withSortedNames([name, value]: [string, unknown]): [string, unknown] {
  return LATER_SETTINGS.has(name) ? [name, sorted(value)] : [name, value]
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([name, one]): [string, unknown] => [name, sorted(one)])
    .toSorted(byName)
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
