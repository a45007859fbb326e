import { join } from 'node:path'
import type { OutputFormat } from '../domain.ts'
import { checkRendition, type RenditionSpec } from './address.ts'
import { openImage } from './decode.ts'
import { createDiskCache } from './disk-cache.ts'
import { MIME_TYPES, sniffFormat, type ImageMimeType } from './format.ts'
import { createHotCache } from './memory-cache.ts'
import { createLimit } from './limit.ts'
import type { AssetStore } from './store.ts'

/** An asset as it was wanted. */
interface Rendition {
  /** Shared with other readers: do not write to it. */
  bytes: Buffer
  mimeType: ImageMimeType
  /** Strong, with its quotes. */
  etag: string
}

export interface Renditions {
  /**
   * The asset shrunk to fit the box and encoded; the original bytes when nothing would change. Throws AssetMissing, and
   * GatewayError BAD_USER_INPUT for an edge that is not a whole number from 1 to 4096.
   */
  rendition(sha256: string, spec: RenditionSpec): Promise<Rendition>
  /** Removes what was made from an asset; to be called when the asset is removed. */
  forget(sha256: string): Promise<void>
}

interface RenditionOptions {
  /** How many images may be decoded at once; 2 by default. */
  concurrency?: number
  /** How much disk renditions may take before the least used go; 1 GiB by default. */
  maxDiskBytes?: number
}

// Part of every key: raise it when the encoders below change, so that no old file is taken for a new one.
const RECIPE = 'r1'
const HOT_TOTAL_BYTES = 32 * 1024 * 1024
const QUALITY = 82

/** Renditions of what is in `store`, kept in `dir` (created when first needed) and, while they are hot, in memory. */
export function createRenditions(store: AssetStore, dir: string, options: RenditionOptions = {}): Renditions {
  const disk = createDiskCache(dir, options.maxDiskBytes ?? 1024 ** 3)
  const hot = createHotCache(HOT_TOTAL_BYTES)
  const limit = createLimit(options.concurrency ?? 2)
  const underWay = new Map<string, Promise<Buffer>>()

  async function find(sha256: string, spec: RenditionSpec): Promise<Buffer> {
    const original = await store.read(sha256)
    const plan = await planOf(original, spec)
    if (!plan) return original
    const name = join(folderOf(sha256), fileOf(plan))
    const made = await disk.read(name)
    if (made) return made
    const bytes = await limit(() => render(original, plan))
    await disk.write(name, bytes)
    return bytes
  }

  /** One piece of work, however many ask at once. */
  function findOnce(key: string, sha256: string, spec: RenditionSpec): Promise<Buffer> {
    const begun = underWay.get(key)
    if (begun) return begun
    const work = find(sha256, spec).finally(() => underWay.delete(key))
    underWay.set(key, work)
    return work
  }

  return {
    async rendition(sha256, spec) {
      const etag = renditionEtag(sha256, spec)
      const bytes = hot.get(etag) ?? (await findOnce(etag, sha256, spec))
      hot.set(etag, bytes)
      return { bytes, mimeType: MIME_TYPES[sniffFormat(bytes)], etag }
    },

    async forget(sha256) {
      for (const key of hot.keys()) if (key.includes(sha256)) hot.delete(key)
      if (/^[0-9a-f]{64}$/.test(sha256)) await disk.removeFolder(folderOf(sha256))
    },
  }
}

/** The strong ETag of a rendition, known before there is one. Throws GatewayError BAD_USER_INPUT like `rendition`. */
export function renditionEtag(sha256: string, spec: RenditionSpec): string {
  checkRendition(spec)
  return `"${sha256}-${RECIPE}-${spec.width ?? ''}x${spec.height ?? ''}-${spec.format ?? ''}"`
}

/** What is to be made: exact numbers, so that all specs that mean the same picture share one file. */
interface Plan {
  width: number
  height: number
  format: OutputFormat
}

/** Undefined when the original is already what is wanted. */
async function planOf(original: Buffer, spec: RenditionSpec): Promise<Plan | undefined> {
  const ownFormat = sniffFormat(original)
  const { autoOrient: own } = await openImage(original).metadata()
  const scale = Math.min(1, (spec.width ?? Infinity) / own.width, (spec.height ?? Infinity) / own.height)
  const format = spec.format ?? ownFormat
  if (scale === 1 && format === ownFormat) return undefined
  const width = Math.max(1, Math.round(own.width * scale))
  const height = Math.max(1, Math.round(own.height * scale))
  return { width, height, format }
}

async function render(original: Buffer, { width, height, format }: Plan): Promise<Buffer> {
  const image = openImage(original).autoOrient().resize({ width, height, fit: 'fill' })
  if (format === 'PNG') return image.png().toBuffer()
  if (format === 'WEBP') return image.webp({ quality: QUALITY }).toBuffer()
  // JPEG has no transparency, and what was transparent would come out black.
  return image.flatten({ background: 'white' }).jpeg({ quality: QUALITY }).toBuffer()
}

function folderOf(sha256: string): string {
  return join(sha256.slice(0, 2), sha256)
}

function fileOf({ width, height, format }: Plan): string {
  return `${RECIPE}-${width}x${height}.${format.toLowerCase()}`
}
