import { rm } from 'node:fs/promises'
import { ImageRejected } from '../../assets/format.ts'
import { findAnyAsset, insertAssets, listAssets, type NewAsset } from '../../db/tasks/assets.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { InputImage, TaskErrorCode } from '../../domain.ts'
import { DownloadError } from '../../providers/wire/download.ts'
import { ProviderError } from '../../providers/error.ts'
import type { ProviderRequest, ProviderRequestImage } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { guideProblem, storeFile, type InputPlace, type MaskFacts } from './store-inputs.ts'

const FETCH_TIMEOUT_MS = 20_000

/** `row`: for an image that was just fetched. */
interface LoadedInput {
  image: ProviderRequestImage & MaskFacts
  row?: NewAsset
}

/**
 * Fetches images given as a URL once, and stores them. Throws ProviderError `rejected` for an unusable one.
 */
export async function loadInputs(
  deps: Deps,
  task: TaskRow,
  signal: AbortSignal,
): Promise<Pick<ProviderRequest, 'images' | 'mask' | 'markup'>> {
  const { request } = task
  const images: LoadedInput[] = []
  for (const [position, image] of request.images.entries())
    images.push(await load(deps, task, image, { kind: 'INPUT', position }, signal))
  const mask = request.mask && (await load(deps, task, request.mask, { kind: 'MASK', position: 0 }, signal))
  // Tasks of version 0.2 have no such field.
  const markup = request.markup
    ? await load(deps, task, request.markup, { kind: 'MARKUP', position: 0 }, signal)
    : null
  for (const [field, guide] of Object.entries({ mask, markup })) {
    const problem = guide && guideProblem(field, guide.image, images[0]?.image)
    if (problem) throw unusable('INPUT_IMAGE_INVALID', problem)
  }
  const rows = [...images, mask, markup].flatMap((input) => input?.row ?? [])
  if (rows.length > 0) await deps.db.tx((q) => insertAssets(q, rows))
  return {
    images: images.map(({ image }) => image),
    mask: mask && mask.image,
    markup: markup && markup.image,
  }
}

async function load(
  deps: Deps,
  task: TaskRow,
  image: InputImage,
  place: InputPlace,
  signal: AbortSignal,
): Promise<LoadedInput> {
  if ('assetId' in image) {
    // Its own copy if the image was deleted meanwhile.
    const asset = (await findAnyAsset(deps.db.read, image.assetId)) ?? (await findOwn(deps, task, place))
    if (asset) return fromAsset(deps, asset)
    throw unusable('INPUT_IMAGE_INVALID', `The input image ${image.assetId} is no longer stored.`)
  }
  const fetched = await findOwn(deps, task, place)
  return fetched ? fromAsset(deps, fetched) : download(deps, task, image.url, place, signal)
}

async function findOwn({ db }: Deps, { id }: TaskRow, place: InputPlace): Promise<AssetRow | undefined> {
  const assets = await listAssets(db.read, [id])
  return assets.find(({ kind, position }) => kind === place.kind && position === place.position)
}

async function download(
  { store, downloader, clock, inputLimit }: Deps,
  task: TaskRow,
  url: string,
  place: InputPlace,
  signal: AbortSignal,
): Promise<LoadedInput> {
  const file = store.newInput()
  try {
    await downloader.download(url, file, AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]))
    const { row, facts } = await inputLimit(() => storeFile({ store, clock }, task.projectId, file, place))
    const blob = () => store.blob(row.sha256, row.mimeType)
    return { image: { ...facts, blob }, row: { ...row, taskId: task.id } }
  } catch (error) {
    const name = NAMES[place.kind] ?? `Input image ${place.position + 1}`
    if (error instanceof DownloadError)
      throw unusable('INPUT_IMAGE_UNREACHABLE', `${name}: the address ${error.message}.`, error)
    if (error instanceof ImageRejected)
      throw unusable('INPUT_IMAGE_INVALID', `${name}: ${error.message}`, error)
    throw error
  } finally {
    await rm(file, { force: true })
  }
}

const NAMES: Partial<Record<InputPlace['kind'], string>> = { MASK: 'The mask', MARKUP: 'The markup' }

function fromAsset({ store }: Deps, asset: AssetRow): LoadedInput {
  const { sha256, mimeType, width, height, byteSize } = asset
  // Only PNG and WebP can have alpha. A dialect that needs certainty inspects the bytes.
  const hasAlpha = mimeType !== 'image/jpeg'
  const blob = () => store.blob(sha256, mimeType)
  return { image: { mimeType, width, height, byteSize, hasAlpha, blob } }
}

function unusable(code: TaskErrorCode, message: string, cause?: unknown): ProviderError {
  return new ProviderError({ kind: 'rejected', code, message, charged: 'NO', cause })
}
