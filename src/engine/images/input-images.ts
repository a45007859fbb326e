// Input images on their way in: whichever way they come, they end as stored assets, checked and stripped of metadata.
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
import { checkUrl } from '../../providers/wire/address.ts'
import type { Deps } from '../deps.ts'

/** An image as a client hands it in, one of four ways. */
export type RawImage = { upload: Blob } | { dataUrl: string } | { url: string } | { imageId: string }

/** What is known of an input image that is stored. */
export type InputImageFacts = Pick<ImageFacts, 'width' | 'height' | 'hasAlpha'>

/** Why a mask cannot be used, and what would be right. */
export const MASK_WITHOUT_ALPHA =
  'The mask has no alpha channel, so it marks nothing. Send a PNG or WebP of the size of the first image that is ' +
  'transparent where it is to be redrawn.'

/** An input image that has been taken in: what the request refers to, the row to insert, what goes into the fingerprint. */
export interface TakenImage {
  image: InputImage
  /** Undefined for a URL, which is fetched before sending, and for an image that is stored already. */
  row: Omit<NewAsset, 'taskId'> | undefined
  /** Undefined for a URL. */
  facts: InputImageFacts | undefined
  identity: string
}

/** Takes in one image of a request. Throws GatewayError BAD_USER_INPUT naming `field`. */
export async function takeImage(
  deps: Deps,
  projectId: string,
  raw: RawImage,
  place: { field: string; kind: Extract<AssetKind, 'INPUT' | 'MASK'>; position: number },
): Promise<TakenImage> {
  if ('url' in raw) {
    const problem = checkUrl(raw.url, deps.inputRule)
    if (problem) throw badInput(place.field, `The address ${problem}.`)
    return { image: { url: raw.url }, row: undefined, facts: undefined, identity: raw.url }
  }
  if ('imageId' in raw) {
    const asset = await findAsset(deps.db.read, projectId, raw.imageId)
    if (!asset) throw badInput(place.field, `There is no image ${JSON.stringify(raw.imageId.slice(0, 60))}.`)
    const facts = await inspectImage(await deps.store.read(asset.sha256), { maxBytes: Infinity })
    const { sha256 } = asset
    if (asset.kind !== 'PARTIAL')
      return { image: { assetId: asset.id }, row: undefined, facts, identity: sha256 }
    // A preview is removed long before the task that begins from it.
    await deps.store.renew(sha256)
    return kept(deps, projectId, { ...facts, sha256, byteSize: asset.byteSize }, place)
  }
  const file = deps.store.newFile()
  try {
    await spool(raw, file, place.field)
    return await storeInput(deps, projectId, file, place)
  } catch (error) {
    if (error instanceof ImageRejected) throw badInput(place.field, error.message)
    throw error
  } finally {
    await rm(file, { force: true })
  }
}

/** Checks, strips and stores an input image that lies in the spool. Throws ImageRejected. */
export async function storeInput(
  deps: Deps,
  projectId: string,
  file: string,
  place: { kind: Extract<AssetKind, 'INPUT' | 'MASK'>; position: number },
): Promise<TakenImage & { row: Omit<NewAsset, 'taskId'>; facts: ImageFacts }> {
  await decodeCheck(file)
  const facts = await sanitizeInput(file)
  return kept(deps, projectId, { ...facts, ...(await deps.store.put(file)) }, place)
}

/** Stored content as an input of a task that is about to be. */
function kept(
  { clock }: Pick<Deps, 'clock'>,
  projectId: string,
  facts: ImageFacts & StoredFile,
  { kind, position }: { kind: Extract<AssetKind, 'INPUT' | 'MASK'>; position: number },
): TakenImage & { row: Omit<NewAsset, 'taskId'>; facts: ImageFacts } {
  const createdAt = clock.now()
  const id = newId('img', createdAt)
  const { sha256, byteSize, width, height, mimeType } = facts
  return {
    image: { assetId: id },
    row: { id, projectId, kind, position, sha256, byteSize, width, height, mimeType, createdAt },
    facts,
    identity: sha256,
  }
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
    `The image has ${megabytes(bytes)}; at most ${megabytes(MAX_INPUT_BYTES)} are possible.`,
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
