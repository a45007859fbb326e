import { createHash } from 'node:crypto'
import { insertAssets } from '../../db/tasks/assets.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { findTaskByKey } from '../../db/tasks/tasks.ts'
import type { ImageRequest } from '../../domain.ts'
import { badInput, GatewayError } from '../../errors.ts'
import type { Deps } from '../deps.ts'
import { checkReceiver } from '../webhooks/endpoints.ts'
import {
  MASK_WITHOUT_ALPHA,
  takeImage,
  type InputImageFacts,
  type RawImage,
  type TakenImage,
} from '../images/input-images.ts'
import { checkInput, type TaskInput } from './input.ts'
import type { CallerWithLimits } from '../access/limiter.ts'
import { startTask } from '../attempts/plan.ts'
import { findRoutes, type Route } from '../routing/route.ts'

/** A task, new or found again by its idempotency key. */
export interface Created {
  task: TaskRow
  /** True when the key was known and nothing new was started. */
  replayed: boolean
}

/**
 * Takes a request: checks it, stores its images, and commits the task, its first attempts and its first event together.
 * Nothing is sent here. Throws GatewayError, and then nothing was stored.
 */
export async function createTask(deps: Deps, by: CallerWithLimits, input: TaskInput): Promise<Created> {
  const { projectId } = by
  checkInput(input)
  if (input.callbackUrl !== null) checkReceiver(deps, 'callbackUrl', input.callbackUrl)
  const bare = toRequest(input)
  const { idempotencyKey: key } = input
  // A known key is answered with its task, whether anybody could serve it today or not.
  const known = key === null ? undefined : await findTaskByKey(deps.db.read, projectId, key)
  const best = known ? undefined : await bestRoute(deps, by, bare)
  if (best) await deps.limiter.task(by)
  await deps.limiter.upload(by, bytesOf(input))
  const { images, mask } = await takeImages(deps, projectId, input)
  const taken = mask ? [...images, mask] : images
  const request: ImageRequest = {
    ...bare,
    images: images.map(({ image }) => image),
    mask: mask?.image ?? null,
  }
  const fingerprint = fingerprintOf(bare, images, mask)
  if (!best) return replay(known, key, fingerprint)

  return deps.db.tx(async (q) => {
    const task = await startTask(q, deps, {
      by,
      request,
      fingerprint,
      idempotencyKey: key,
      route: best,
      retryOf: null,
    })
    // Somebody else was faster with the same key.
    if (!task) return replay(await findTaskByKey(q, projectId, key!), key, fingerprint)
    await insertAssets(
      q,
      taken.flatMap(({ row }) => (row ? [{ ...row, taskId: task.id }] : [])),
    )
    return { task, replayed: false }
  })
}

/** Throws GatewayError when nobody can serve it. */
async function bestRoute(deps: Deps, by: CallerWithLimits, request: ImageRequest): Promise<Route> {
  const [best] = await findRoutes(deps.db.read, deps, by, request)
  return best!
}

/** How many bytes of images came with it, as far as they came and are no address. */
function bytesOf({ images, mask }: TaskInput): number {
  return [...images, ...(mask ? [mask] : [])].reduce((sum, image) => sum + byteSizeOf(image), 0)
}

function byteSizeOf(image: RawImage): number {
  if ('upload' in image) return image.upload.size
  // Four characters of base64 are three bytes.
  return 'dataUrl' in image ? Math.floor((image.dataUrl.length * 3) / 4) : 0
}

function replay(task: TaskRow | undefined, key: string | null, fingerprint: string): Created {
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
    images.push(
      await takeImage(deps, projectId, raw, { field: `images.${position}`, kind: 'INPUT', position }),
    )
  }
  const mask =
    input.mask && (await takeImage(deps, projectId, input.mask, { field: 'mask', kind: 'MASK', position: 0 }))
  if (mask?.facts) checkMask(mask.facts, images[0]?.facts)
  return { images, mask }
}

function checkMask(mask: InputImageFacts, image: InputImageFacts | undefined): void {
  if (!mask.hasAlpha) throw badInput('mask', MASK_WITHOUT_ALPHA)
  if (!image || (mask.width === image.width && mask.height === image.height)) return
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
