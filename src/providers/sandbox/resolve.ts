import { parseSize, type Background, type OutputFormat, type Quality } from '../../domain.ts'
import type { ProviderRequest, SizeRule } from '../provider.ts'

export interface ResolvedRequest {
  width: number
  height: number
  quality: Quality
  background: Exclude<Background, 'AUTO'>
  outputFormat: OutputFormat
}

type Size = Pick<ResolvedRequest, 'width' | 'height'>

const WIDE = /\b(wide|panorama|panoramic|landscape|banner|cinematic)\b/iu
const TALL = /\b(portrait|tall|poster|vertical|full[- ]length)\b/iu

/** Replaces `auto`. Undefined for a malformed size. */
export function resolve(request: ProviderRequest, sizes: SizeRule | undefined): ResolvedRequest | undefined {
  const size = request.size === 'auto' ? autoSize(request, sizes) : parseSize(request.size)
  if (!size) return undefined
  const { outputFormat, model } = request
  const autoQuality = model.startsWith('dall-e') ? 'STANDARD' : 'MEDIUM'
  const isTransparent =
    request.background === 'TRANSPARENT' ||
    (request.background === 'AUTO' && request.images[0]?.hasAlpha === true)
  return {
    ...size,
    quality: request.quality === 'AUTO' ? autoQuality : request.quality,
    background: outputFormat !== 'JPEG' && isTransparent ? 'TRANSPARENT' : 'OPAQUE',
    outputFormat,
  }
}

const GIF_SIZE: Size = { width: 512, height: 512 }

// An edit keeps its first image's size if possible: the mask then fits.
function autoSize(request: ProviderRequest, sizes: SizeRule | undefined): Size {
  const first = request.images[0]
  // Small: a GIF has an image per frame, without compression between colors.
  if (request.outputFormat === 'GIF') return GIF_SIZE
  if (first && allows(sizes, first)) return { width: first.width, height: first.height }
  const ratio = first ? first.width / first.height : promptRatio(request.prompt)
  if (ratio > 1.2 && allows(sizes, { width: 1536, height: 1024 })) return { width: 1536, height: 1024 }
  if (ratio < 0.83 && allows(sizes, { width: 1024, height: 1536 })) return { width: 1024, height: 1536 }
  return { width: 1024, height: 1024 }
}

function promptRatio(prompt: string): number {
  if (WIDE.test(prompt)) return 1.5
  return TALL.test(prompt) ? 0.67 : 1
}

function allows(sizes: SizeRule | undefined, { width, height }: Size): boolean {
  if (!sizes) return false
  if (sizes.kind === 'list') return sizes.values.includes(`${width}x${height}`)
  const [long, short, pixels] = [Math.max(width, height), Math.min(width, height), width * height]
  const fits = long <= sizes.maxEdge && long <= short * sizes.maxRatio
  const divides = width % sizes.multipleOf === 0 && height % sizes.multipleOf === 0
  return fits && divides && pixels >= sizes.minPixels && pixels <= sizes.maxPixels
}
