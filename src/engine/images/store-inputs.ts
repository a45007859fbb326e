// Input images of a new task. Whichever way they arrive, they end as stored assets, checked and stripped of metadata; those
// given by address are fetched before sending, see load-inputs.ts.
import { createWriteStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { decodeCheck } from '../../assets/decode.ts'
import { inspectImage, MAX_INPUT_BYTES } from '../../assets/inspect.ts'
import { ImageRejected } from '../../assets/rejected.ts'
import { sanitizeInput } from '../../assets/sanitize.ts'
import type { StoredFile } from '../../assets/store.ts'
import { findAsset, type NewAsset } from '../../db/tasks/assets.ts'
import type { AssetKind, ImageFacts, InputImage } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { formatCount } from '../../quantity.ts'
import type { Deps } from '../deps.ts'
import { maskProblem, type InputImageFacts } from './mask.ts'

/** An image as a client gives it, in one of four ways. */
export type RawImage = { upload: Blob } | { dataUrl: string } | { url: string } | { imageId: string }

/** The place of an input image in its request. */
export interface InputPlace {
  kind: Extract<AssetKind, 'INPUT' | 'MASK'>
  position: number
}

/** An input image as it is given, with the field that names it in errors. */
export interface RawInput extends InputPlace {
  raw: RawImage
  field: string
}

/** A row of a task that does not exist yet. */
export type NewInput = Omit<NewAsset, 'taskId'>

/** An input image that is at hand: what the request refers to, the row to insert, and its part of the fingerprint. */
export interface StoredInput {
  image: InputImage
  /** Undefined for an address, and for an image that is stored already. */
  row: NewInput | undefined
  /** Undefined for an address. */
  facts: InputImageFacts | undefined
  /** The hash of its content, or its address. */
  identity: string
}

export interface StoredInputs {
  images: StoredInput[]
  mask: StoredInput | null
}

/** Stores the input images of a new task. Throws GatewayError BAD_USER_INPUT naming the field of the first bad one. */
export async function storeInputs(
  deps: Pick<Deps, 'db' | 'store' | 'clock'>,
  projectId: string,
  inputs: readonly RawInput[],
): Promise<StoredInputs> {
  const images: StoredInput[] = []
  let mask: StoredInput | null = null
  for (const input of inputs) {
    const stored = await storeOne(deps, projectId, input)
    if (input.kind === 'MASK') mask = stored
    else images.push(stored)
  }
  const problem = mask?.facts && maskProblem(mask.facts, images[0]?.facts)
  if (problem) throw badInput('mask', problem)
  return { images, mask }
}

async function storeOne(
  deps: Pick<Deps, 'db' | 'store' | 'clock'>,
  projectId: string,
  { raw, field, ...place }: RawInput,
): Promise<StoredInput> {
  if ('upload' in raw || 'dataUrl' in raw) return storeSent(deps, projectId, raw, field, place)
  if ('url' in raw) return { image: { url: raw.url }, row: undefined, facts: undefined, identity: raw.url }
  return reuse(deps, projectId, raw.imageId, field, place)
}

/** An image whose bytes arrived with the request. */
async function storeSent(
  deps: Pick<Deps, 'store' | 'clock'>,
  projectId: string,
  raw: { upload: Blob } | { dataUrl: string },
  field: string,
  place: InputPlace,
): Promise<StoredInput> {
  const file = deps.store.newFile()
  try {
    await spool(raw, file, field)
    const { row, facts } = await storeFile(deps, projectId, file, place)
    return { image: { assetId: row.id }, row, facts, identity: row.sha256 }
  } catch (error) {
    if (error instanceof ImageRejected) throw badInput(field, error.message)
    throw error
  } finally {
    await rm(file, { force: true })
  }
}

/** An earlier image of the project. */
async function reuse(
  { db, store, clock }: Pick<Deps, 'db' | 'store' | 'clock'>,
  projectId: string,
  imageId: string,
  field: string,
  place: InputPlace,
): Promise<StoredInput> {
  const asset = await findAsset(db.read, projectId, imageId)
  if (!asset) throw badInput(field, `There is no image ${JSON.stringify(imageId.slice(0, 60))}.`)
  const { sha256, byteSize } = asset
  const facts = await inspectImage(await store.read(sha256), { maxBytes: Infinity })
  if (asset.kind !== 'PARTIAL')
    return { image: { assetId: asset.id }, row: undefined, facts, identity: sha256 }
  // A preview is removed long before the task that starts from it.
  await store.renew(sha256)
  const row = newRow({ clock }, projectId, { ...facts, sha256, byteSize }, place)
  return { image: { assetId: row.id }, row, facts, identity: sha256 }
}

/** Checks, strips and stores an input image that is in the spool. Throws ImageRejected. */
export async function storeFile(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  projectId: string,
  file: string,
  place: InputPlace,
): Promise<{ row: NewInput; facts: ImageFacts }> {
  await decodeCheck(file)
  const facts = await sanitizeInput(file)
  return { row: newRow({ clock }, projectId, { ...facts, ...(await store.put(file)) }, place), facts }
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

async function spool(
  raw: { upload: Blob } | { dataUrl: string },
  file: string,
  field: string,
): Promise<void> {
  if ('dataUrl' in raw) return writeFile(file, decodeDataUrl(raw.dataUrl, field))
  if (raw.upload.size > MAX_INPUT_BYTES) throw tooLarge(raw.upload.size, field)
  await pipeline(raw.upload.stream(), createWriteStream(file))
}

function decodeDataUrl(dataUrl: string, field: string): Buffer {
  const comma = dataUrl.indexOf(',')
  if (!/^data:image\/(png|jpeg|webp);base64,$/.test(dataUrl.slice(0, comma + 1))) {
    throw badInput(field, 'The data URL must begin with data:image/png;base64, (or jpeg, or webp).')
  }
  const base64 = dataUrl.slice(comma + 1)
  if (base64.length > Math.ceil(MAX_INPUT_BYTES / 3) * 4)
    throw tooLarge(Math.floor((base64.length * 3) / 4), field)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw badInput(field, 'The data URL is not base64.')
  return Buffer.from(base64, 'base64')
}

function tooLarge(bytes: number, field: string): Error {
  return badInput(
    field,
    `The image has ${formatCount(bytes)} bytes; the maximum is ${formatCount(MAX_INPUT_BYTES)}.`,
  )
}
