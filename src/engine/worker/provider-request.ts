import { rm } from 'node:fs/promises'
import { ImageRejected } from '../../assets/rejected.ts'
import { findAnyAsset, insertAssets, listAssets } from '../../db/tasks/assets.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { InputImage } from '../../domain.ts'
import { DownloadError } from '../../providers/wire/download.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Order, OrderImage } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { MASK_WITHOUT_ALPHA, storeInput } from '../images/input-images.ts'
import type { Route } from '../routing/route.ts'

/** How long fetching one input image may take. */
const FETCH_MS = 20_000

/**
 * Makes what the provider is handed: the settings it can honour, and the input images at hand. Images given by address
 * are fetched here once, before anything is sent. Throws ProviderError `rejected` when one cannot be used.
 */
export async function makeOrder(
  deps: Deps,
  task: TaskRow,
  route: Route,
  signal: AbortSignal,
): Promise<Order> {
  const { request } = task
  const images: OrderImage[] = []
  for (const [position, image] of request.images.entries()) {
    images.push(await bring(deps, task, image, { kind: 'INPUT', position }, signal))
  }
  const mask = request.mask && (await bring(deps, task, request.mask, { kind: 'MASK', position: 0 }, signal))
  const [first] = images
  if (mask && first && (mask.width !== first.width || mask.height !== first.height)) {
    throw unusable(
      'INPUT_IMAGE_INVALID',
      `The mask is ${mask.width}x${mask.height} and the first image ${first.width}x${first.height}.`,
    )
  }
  return {
    ...route.match.settings,
    operation: request.operation,
    upstreamModel: route.offer.upstreamModel,
    images,
    mask,
  }
}

async function bring(
  deps: Deps,
  task: TaskRow,
  image: InputImage,
  place: { kind: 'INPUT' | 'MASK'; position: number },
  signal: AbortSignal,
): Promise<OrderImage> {
  if ('assetId' in image) {
    const asset = await findAnyAsset(deps.db.read, image.assetId)
    if (!asset) throw unusable('INPUT_IMAGE_INVALID', `The input image ${image.assetId} is no longer stored.`)
    return fromAsset(deps, asset)
  }
  const fetched = (await listAssets(deps.db.read, [task.id])).find(
    ({ kind, position }) => kind === place.kind && position === place.position,
  )
  if (fetched) return fromAsset(deps, fetched)
  const file = deps.store.newFile()
  try {
    await deps.downloader.download(image.url, file, AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]))
    const { row, facts } = await storeInput(deps, task.projectId, file, place)
    if (place.kind === 'MASK' && !facts.hasAlpha) throw unusable('INPUT_IMAGE_INVALID', MASK_WITHOUT_ALPHA)
    await deps.db.tx((q) => insertAssets(q, [{ ...row, taskId: task.id }]))
    return { ...facts, blob: () => deps.store.blob(row.sha256, row.mimeType) }
  } catch (error) {
    const which = place.kind === 'MASK' ? 'The mask' : `Input image ${place.position + 1}`
    if (error instanceof DownloadError)
      throw unusable('INPUT_IMAGE_UNREACHABLE', `${which}: the address ${error.message}.`, error)
    if (error instanceof ImageRejected)
      throw unusable('INPUT_IMAGE_INVALID', `${which}: ${error.message}`, error)
    throw error
  } finally {
    await rm(file, { force: true })
  }
}

function fromAsset({ store }: Deps, asset: AssetRow): OrderImage {
  const { sha256, mimeType, width, height, byteSize } = asset
  return {
    mimeType,
    width,
    height,
    byteSize,
    // Only PNG and WebP can; a dialect that needs to know looks at the bytes.
    hasAlpha: mimeType !== 'image/jpeg',
    blob: () => store.blob(sha256, mimeType),
  }
}

function unusable(
  code: 'INPUT_IMAGE_INVALID' | 'INPUT_IMAGE_UNREACHABLE',
  message: string,
  cause?: unknown,
): ProviderError {
  return new ProviderError({ kind: 'rejected', code, message, charged: 'NO', cause })
}
