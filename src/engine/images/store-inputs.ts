// Input images of a new task are checked, stripped of metadata and stored. Those given as a URL are fetched
// before sending, see load-inputs.ts.
import { link, rm, writeFile } from 'node:fs/promises'
import { decodeCheck, isOpaque } from '../../assets/decode.ts'
import { toUnavailable } from '../../assets/disk-error.ts'
import { inspectImage, MAX_INPUT_BYTES } from '../../assets/inspect.ts'
import { ImageRejected } from '../../assets/format.ts'
import { sanitizeInput } from '../../assets/sanitize.ts'
import type { StoredFile } from '../../assets/store.ts'
import type { UploadedFile } from '../../assets/upload.ts'
import { findAsset, type NewAsset } from '../../db/tasks/assets.ts'
import type { AssetKind, ImageFacts, InputImage } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { formatCount } from '../../quantity.ts'
import type { Deps } from '../deps.ts'

type SentImage = { upload: UploadedFile } | { dataUrl: string }
export type RawImage = SentImage | { url: string } | { imageId: string }

export interface InputPlace {
  kind: Extract<AssetKind, 'INPUT' | 'MASK' | 'MARKUP'>
  position: number
}

export interface RawInput extends InputPlace {
  raw: RawImage
  /** Named in errors. */
  field: string
}

/** A row whose task does not exist yet. */
type NewInput = Omit<NewAsset, 'taskId'>

export interface StoredInput {
  image: InputImage
  /** Undefined for a URL, and for a stored image. */
  row: NewInput | undefined
  /** Undefined for a URL. */
  facts: MaskFacts | undefined
  /** The content's hash or the URL, for the fingerprint. */
  identity: string
}

export interface StoredInputs {
  images: StoredInput[]
  mask: StoredInput | null
  markup: StoredInput | null
}

type InputDeps = Pick<Deps, 'db' | 'store' | 'clock' | 'inputLimit'>

/**
 * Throws BAD_USER_INPUT naming the field of the first invalid image, and SERVICE_UNAVAILABLE if the disk is
 * full.
 */
export async function storeInputs(
  deps: InputDeps,
  projectId: string,
  inputs: readonly RawInput[],
): Promise<StoredInputs> {
  const images: StoredInput[] = []
  let mask: StoredInput | null = null
  let markup: StoredInput | null = null
  for (const input of inputs) {
    const stored = await storeInput(deps, projectId, input)
    if (input.kind === 'MASK') mask = stored
    else if (input.kind === 'MARKUP') markup = stored
    else images.push(stored)
  }
  for (const [field, guide] of Object.entries({ mask, markup })) {
    const problem = guide?.facts && guideProblem(field, guide.facts, images[0]?.facts)
    if (problem) throw badInput(field, problem)
  }
  return { images, mask, markup }
}

async function storeInput(deps: InputDeps, projectId: string, input: RawInput): Promise<StoredInput> {
  const { raw, field, ...place } = input
  if ('url' in raw) return { image: { url: raw.url }, row: undefined, facts: undefined, identity: raw.url }
  if ('imageId' in raw) return reuseImage(deps, projectId, raw.imageId, field, place)
  const file = deps.store.newInput()
  try {
    const { row, facts } = await deps.inputLimit(async () => {
      await spool(raw, file, field)
      return storeFile(deps, projectId, file, place)
    })
    return { image: { assetId: row.id }, row, facts, identity: row.sha256 }
  } catch (error) {
    if (error instanceof ImageRejected) throw badInput(field, error.message)
    throw toUnavailable(error)
  } finally {
    await rm(file, { force: true })
  }
}

const INPUT_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp'])

async function reuseImage(
  deps: InputDeps,
  projectId: string,
  imageId: string,
  field: string,
  place: InputPlace,
): Promise<StoredInput> {
  const asset = await findAsset(deps.db.read, projectId, imageId)
  if (!asset) throw badInput(field, `There is no image ${JSON.stringify(imageId.slice(0, 60))}.`)
  const { id, sha256, byteSize } = asset
  if (!INPUT_TYPES.has(asset.mimeType))
    throw badInput(
      field,
      `The image ${id} is ${asset.mimeType}; send a PNG, JPEG or WebP, such as its rendition.`,
    )
  const facts = await deps.inputLimit(async () => {
    const bytes = await deps.store.read(sha256)
    return withOpacity(bytes, await inspectImage(bytes, { maxBytes: Infinity }), place)
  })
  if (asset.kind !== 'PARTIAL') return { image: { assetId: id }, row: undefined, facts, identity: sha256 }
  // Partial images expire long before a task that uses one as input.
  await deps.store.touch(sha256)
  const row = newRow(deps, projectId, { ...facts, sha256, byteSize }, place)
  return { image: { assetId: row.id }, row, facts, identity: sha256 }
}

/** Checks, strips and stores an input image, within the caller's limit. Throws ImageRejected. */
export async function storeFile(
  deps: Pick<Deps, 'store' | 'clock'>,
  projectId: string,
  file: string,
  place: InputPlace,
): Promise<{ row: NewInput; facts: ImageFacts & MaskFacts }> {
  await decodeCheck(file)
  const facts = await withOpacity(file, await sanitizeInput(file), place)
  return { row: newRow(deps, projectId, { ...facts, ...(await deps.store.put(file)) }, place), facts }
}

function newRow(
  { clock }: Pick<Deps, 'clock'>,
  projectId: string,
  { sha256, byteSize, width, height, mimeType }: ImageFacts & StoredFile,
  place: InputPlace,
): NewInput {
  const createdAt = clock.now()
  const id = newId('img', createdAt)
  return { id, projectId, ...place, sha256, byteSize, width, height, mimeType, createdAt }
}

async function spool(raw: SentImage, file: string, field: string): Promise<void> {
  if ('dataUrl' in raw) return writeFile(file, decodeDataUrl(raw.dataUrl, field))
  const { path, byteSize } = raw.upload
  if (byteSize > MAX_INPUT_BYTES) throw tooLarge(byteSize, field)
  // A second name, because one file may be several images.
  await link(path, file)
}

function decodeDataUrl(dataUrl: string, field: string): Buffer {
  const comma = dataUrl.indexOf(',')
  if (!/^data:image\/(png|jpeg|webp);base64,$/.test(dataUrl.slice(0, comma + 1)))
    throw badInput(field, 'The data URL must begin with data:image/png;base64, (or jpeg, or webp).')
  const base64 = dataUrl.slice(comma + 1)
  if (base64.length > Math.ceil(MAX_INPUT_BYTES / 3) * 4)
    throw tooLarge(Math.floor((base64.length * 3) / 4), field)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw badInput(field, 'The data URL is not base64.')
  return Buffer.from(base64, 'base64')
}

function tooLarge(bytes: number, field: string): Error {
  const max = formatCount(MAX_INPUT_BYTES)
  return badInput(field, `The image has ${formatCount(bytes)} bytes; the maximum is ${max}.`)
}

export interface MaskFacts extends Pick<ImageFacts, 'width' | 'height' | 'hasAlpha' | 'mimeType'> {
  /** Every pixel is opaque. Set when a mask or markup is stored. */
  isOpaque?: boolean
}

async function withOpacity(
  input: string | Buffer,
  facts: ImageFacts,
  { kind }: InputPlace,
): Promise<ImageFacts & MaskFacts> {
  return kind !== 'INPUT' && facts.hasAlpha ? { ...facts, isOpaque: await isOpaque(input) } : facts
}

const GUIDES = {
  mask: { use: 'transparent where it is to be redrawn', opaque: 'marks nothing' },
  markup: { use: 'transparent except for the drawn hints', opaque: 'hides the image' },
}

/**
 * Why a mask or markup does not match an image; undefined when it does, or before the image is fetched.
 * Markup is a PNG.
 */
export function guideProblem(
  field: string,
  guide: MaskFacts,
  image: MaskFacts | undefined,
): string | undefined {
  const { use, opaque } = field === 'markup' ? GUIDES.markup : GUIDES.mask
  const formats = field === 'markup' ? 'PNG' : 'PNG or WebP'
  if (field === 'markup' && guide.mimeType !== 'image/png')
    return `The markup is ${guide.mimeType}; send a PNG of the size of the first image, ${use}.`
  if (!guide.hasAlpha)
    return `The ${field} has no alpha channel. Send a ${formats} of the size of the first image, ${use}.`
  if (image && (guide.width !== image.width || guide.height !== image.height))
    return `The ${field} is ${guide.width}x${guide.height}; it must have the size of the first image, ${image.width}x${image.height}.`
  if (!guide.isOpaque) return undefined
  return `The ${field} is opaque everywhere and ${opaque}. Make it ${use}.`
}
