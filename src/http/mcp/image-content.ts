import type { RenditionSpec } from '../../assets/address.ts'
import { MIME_TYPES } from '../../assets/format.ts'
import { AssetMissing } from '../../assets/store.ts'
import type { AssetRow } from '../../db/tables/tables.ts'
import type { McpContext } from './tool.ts'

const MAX_EDGE = 1024
/** Tried in order, until the file is small enough. */
const EDGES = [MAX_EDGE, 768, 512, 384]
/** Hosts limit a result to about a megabyte, and base64 adds a third. */
const MAX_BYTES = 200_000
/** Of one result; the others have an address. */
export const MAX_INLINE_IMAGES = 3

export interface InlineImage {
  data: string
  mimeType: string
}

/** At most 1024 pixels per edge and 200 kB: the stored file, else a WebP. Without deleted images. */
export async function inlineImages(
  { renditions }: Pick<McpContext, 'renditions'>,
  assets: readonly AssetRow[],
): Promise<InlineImage[]> {
  async function encode(sha256: string, [spec = {}, ...smaller]: RenditionSpec[]): Promise<InlineImage> {
    const { bytes, mimeType } = await renditions.rendition(sha256, spec)
    if (bytes.length > MAX_BYTES && smaller.length > 0) return encode(sha256, smaller)
    return { data: bytes.toString('base64'), mimeType }
  }
  const images = assets.slice(0, MAX_INLINE_IMAGES).map((asset) =>
    encode(asset.sha256, specsOf(asset)).catch((error: unknown) => {
      if (error instanceof AssetMissing) return undefined
      throw error
    }),
  )
  return (await Promise.all(images)).filter((image) => image !== undefined)
}

// Models do not see an SVG.
function specsOf({ byteSize, width, height, mimeType }: AssetRow): RenditionSpec[] {
  if (mimeType !== MIME_TYPES.SVG && byteSize <= MAX_BYTES && Math.max(width, height) <= MAX_EDGE) return [{}]
  return EDGES.map((edge) => ({ width: edge, height: edge, format: 'WEBP' }))
}

/** The stored file up to this size, else a rendition. */
const MAX_RESOURCE_BYTES = 4 * 1024 * 1024
const RESOURCE_EDGE = 2048

export function readResource({ renditions }: Pick<McpContext, 'renditions'>, { sha256, byteSize }: AssetRow) {
  const spec: RenditionSpec =
    byteSize <= MAX_RESOURCE_BYTES ? {} : { width: RESOURCE_EDGE, height: RESOURCE_EDGE, format: 'WEBP' }
  return renditions.rendition(sha256, spec)
}
