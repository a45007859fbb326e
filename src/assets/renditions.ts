import { join } from 'node:path'
import type { OutputFormat } from '../domain.ts'
import { badInput, type GatewayError } from '../errors.ts'
import { checkRendition, renditionFormat, type RenditionSpec } from './address.ts'
import { openImage } from './decode.ts'
import { createDiskCache } from './disk-cache.ts'
import { MIME_TYPES, sniffFormat } from './format.ts'
import { createMemoryCache } from './memory-cache.ts'
import { createLimit } from './limit.ts'
import type { AssetStore } from './store.ts'
import { rasteriseSvg, SvgNotRendered, type RasterJob } from './svg/rasteriser.ts'
import { svgSize, type SvgSize } from './svg/size.ts'

export type Renditions = ReturnType<typeof createRenditions>

// Increase when encoders' output changes.
const VERSION = 'r1'
const MAX_CACHE_BYTES = 32 * 1024 * 1024
const QUALITY = 82
/** 16 MB of pixels. */
const MAX_SVG_EDGE = 2048

export function createRenditions(
  store: AssetStore,
  dir: string,
  { concurrency = 2, maxDiskBytes = 1024 ** 3 }: { concurrency?: number; maxDiskBytes?: number } = {},
) {
  const disk = store.withRenditions(createDiskCache(dir, maxDiskBytes))
  const cache = createMemoryCache(MAX_CACHE_BYTES)
  const limit = createLimit(concurrency)
  const pending = new Map<string, Promise<Buffer>>()

  async function readOrRender(sha256: string, spec: RenditionSpec): Promise<Buffer> {
    const original = await store.read(sha256)
    const plan = await planOf(original, spec)
    if (!plan) return original
    const { width, height, format, animated } = plan
    const frames = animated ? '-animated' : ''
    const name = join(folderOf(sha256), `${VERSION}-${width}x${height}${frames}.${format.toLowerCase()}`)
    const existing = await disk.read(name)
    if (existing) return existing
    const bytes = await limit(() => render(original, plan))
    await disk.write(name, bytes)
    return bytes
  }

  async function readAndCache(etag: string, sha256: string, spec: RenditionSpec): Promise<Buffer> {
    const bytes = await readOrRender(sha256, spec)
    cache.set(etag, bytes)
    return bytes
  }

  function readOrRenderOnce(etag: string, sha256: string, spec: RenditionSpec): Promise<Buffer> {
    const running = pending.get(etag)
    if (running) return running
    const work = readAndCache(etag, sha256, spec).finally(() => pending.delete(etag))
    pending.set(etag, work)
    return work
  }

  return {
    /** Returns the original if nothing changes. `bytes` are shared. Throws AssetMissing and BAD_USER_INPUT. */
    async rendition(sha256: string, spec: RenditionSpec) {
      const etag = renditionEtag(sha256, spec)
      const bytes = cache.get(etag) ?? (await readOrRenderOnce(etag, sha256, spec))
      return { bytes, mimeType: MIME_TYPES[sniffFormat(bytes)], etag }
    },

    /** Also one that is being made. */
    async remove(sha256: string): Promise<void> {
      const beingMade = [...pending].flatMap(([etag, work]) => (etag.includes(sha256) ? [work] : []))
      await Promise.allSettled(beingMade)
      for (const etag of cache.keys()) if (etag.includes(sha256)) cache.delete(etag)
      if (/^[0-9a-f]{64}$/.test(sha256)) await disk.removeFolder(folderOf(sha256))
    },
  }
}

/** Throws BAD_USER_INPUT. */
export function renditionEtag(sha256: string, spec: RenditionSpec): string {
  checkRendition(spec)
  return `"${sha256}-${VERSION}-${spec.width ?? ''}x${spec.height ?? ''}-${spec.format ?? ''}${spec.animated ? '-animated' : ''}"`
}

/** Equivalent specs share one file. */
interface Plan {
  width: number
  height: number
  format: OutputFormat
  animated: boolean
  /** Undefined for other formats. */
  svg: SvgSize | undefined
}

/** Undefined if the original matches. */
async function planOf(original: Buffer, spec: RenditionSpec): Promise<Plan | undefined> {
  const ownFormat = sniffFormat(original)
  const format = renditionFormat(MIME_TYPES[ownFormat], spec)
  const svg = ownFormat === 'SVG' ? svgSize(original) : undefined
  const { autoOrient: own, pages = 1 } = svg ? { autoOrient: svg } : await openImage(original).metadata()
  // Vector graphics have no pixels to enlarge.
  const limit = svg ? MAX_SVG_EDGE / Math.max(own.width, own.height) : 1
  const box = Math.min((spec.width ?? Infinity) / own.width, (spec.height ?? Infinity) / own.height)
  const scale = Math.min(limit, box === Infinity ? 1 : box)
  const animated = pages > 1 && spec.animated === true
  if (scale === 1 && format === ownFormat && (animated || pages === 1)) return undefined
  const width = Math.max(1, Math.round(own.width * scale))
  const height = Math.max(1, Math.round(own.height * scale))
  return { width, height, format, animated, svg }
}

/** Throws BAD_USER_INPUT for an SVG or animation that is not rendered. */
async function render(original: Buffer, { width, height, format, animated, svg }: Plan): Promise<Buffer> {
  const source = svg ? await rasterise(original, { width, height, ownWidth: svg.width }) : original
  const image = openImage(source, { animated }).autoOrient().resize({ width, height, fit: 'fill' })
  if (format === 'PNG') return image.png().toBuffer()
  if (animated) return image.webp({ quality: QUALITY, effort: 2 }).toBuffer().catch(tooManyFrames)
  if (format === 'WEBP') return image.webp({ quality: QUALITY }).toBuffer()
  // Transparent pixels would become black.
  return image.flatten({ background: 'white' }).jpeg({ quality: QUALITY }).toBuffer()
}

async function rasterise(svg: Buffer, size: Omit<RasterJob, 'svg'>): Promise<Buffer> {
  try {
    return await rasteriseSvg({ svg, ...size })
  } catch (error) {
    if (!(error instanceof SvgNotRendered)) throw error
    throw svgRefusal(error.message)
  }
}

/** `problem` completes "the SVG …". */
export function svgRefusal(problem: string): GatewayError {
  return badInput('format', `No rendition can be made: the SVG ${problem}. Use the original.`)
}

function tooManyFrames(): never {
  throw badInput(
    'animated',
    'The animation has too many pixels to convert. Use the original, or its first frame.',
  )
}

function folderOf(sha256: string): string {
  return join(sha256.slice(0, 2), sha256)
}
