// The input images of a task, right before it is sent.
import { rm } from 'node:fs/promises'
import { ImageRejected } from '../../assets/rejected.ts'
import { findAnyAsset, insertAssets, listAssets, type NewAsset } from '../../db/tasks/assets.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { InputImage } from '../../domain.ts'
import { DownloadError } from '../../providers/wire/download.ts'
import { ProviderError } from '../../providers/error.ts'
import type { ProviderRequestImage } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { maskProblem } from './mask.ts'
import { storeFile, type InputPlace } from './store-inputs.ts'

/** How long fetching one input image may take. */
const FETCH_MS = 20_000

/** An input image, and its row when it was fetched just now. */
interface LoadedInput {
  image: ProviderRequestImage
  row: NewAsset | undefined
}

type LoadDeps = Pick<Deps, 'db' | 'store' | 'clock' | 'downloader'>

/**
 * Loads the input images of a task. Those given by address are fetched once and stored. Throws ProviderError `rejected`
 * when one cannot be used.
 */
export async function loadInputs(
  deps: LoadDeps,
  task: TaskRow,
  signal: AbortSignal,
): Promise<{ images: ProviderRequestImage[]; mask: ProviderRequestImage | null }> {
  const { request } = task
  const images: LoadedInput[] = []
  for (const [position, image] of request.images.entries())
    images.push(await load(deps, task, image, { kind: 'INPUT', position }, signal))
  const mask = request.mask && (await load(deps, task, request.mask, { kind: 'MASK', position: 0 }, signal))
  const problem = mask && maskProblem(mask.image, images[0]?.image)
  if (problem) throw unusable('INPUT_IMAGE_INVALID', problem)
  const rows = [...images, ...(mask ? [mask] : [])].flatMap(({ row }) => row ?? [])
  if (rows.length > 0) await deps.db.tx((q) => insertAssets(q, rows))
  return { images: images.map(({ image }) => image), mask: mask && mask.image }
}

async function load(
  deps: LoadDeps,
  task: TaskRow,
  image: InputImage,
  place: InputPlace,
  signal: AbortSignal,
): Promise<LoadedInput> {
  if ('assetId' in image) {
    const asset = await findAnyAsset(deps.db.read, image.assetId)
    if (!asset) throw unusable('INPUT_IMAGE_INVALID', `The input image ${image.assetId} is no longer stored.`)
    return { image: fromAsset(deps, asset), row: undefined }
  }
  const fetched = (await listAssets(deps.db.read, [task.id])).find(
    ({ kind, position }) => kind === place.kind && position === place.position,
  )
  if (fetched) return { image: fromAsset(deps, fetched), row: undefined }
  return download(deps, task, image.url, place, signal)
}

async function download(
  deps: LoadDeps,
  task: TaskRow,
  url: string,
  place: InputPlace,
  signal: AbortSignal,
): Promise<LoadedInput> {
  const file = deps.store.newFile()
  try {
    await deps.downloader.download(url, file, AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]))
    const { row, facts } = await storeFile(deps, task.projectId, file, place)
    const blob = () => deps.store.blob(row.sha256, row.mimeType)
    return { image: { ...facts, blob }, row: { ...row, taskId: task.id } }
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

function fromAsset({ store }: Pick<Deps, 'store'>, asset: AssetRow): ProviderRequestImage {
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
