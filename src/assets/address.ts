import { OUTPUT_FORMATS, type OutputFormat } from '../domain.ts'
import { badInput } from '../errors.ts'
import { MIME_TYPES } from './format.ts'

/** In pixels. Renditions keep the aspect ratio and are never enlarged, except those of an SVG. */
export interface RenditionSpec {
  width?: number
  height?: number
  /** PNG, JPEG or WEBP. */
  format?: OutputFormat
  /** All frames of an animation, as WEBP; by default the first one. */
  animated?: boolean
}

export const MAX_RENDITION_EDGE = 4096

const EXTENSIONS: Record<string, string> = {
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/webp': '.webp',
  'image/gif': '.gif',
  'image/svg+xml': '.svg',
}

/** Throws BAD_USER_INPUT. */
export function assetPath(id: string, mimeType: string, spec: RenditionSpec = {}): string {
  checkRendition(spec)
  const isOriginal = Object.values(spec).every((value) => value === undefined || value === false)
  const format = isOriginal ? undefined : renditionFormat(mimeType, spec)
  const extension = extensionOf(format ? MIME_TYPES[format] : mimeType)
  const query = new URLSearchParams()
  if (spec.width !== undefined) query.set('width', String(spec.width))
  if (spec.height !== undefined) query.set('height', String(spec.height))
  if (spec.format !== undefined) query.set('format', spec.format.toLowerCase())
  if (spec.animated) query.set('animated', 'true')
  return `/assets/${id}${extension}${query.size > 0 ? `?${query}` : ''}`
}

export function readAssetPath(path: string): string | undefined {
  return /^\/assets\/(img_[0-9A-Za-z]{1,64})(?:\.[a-z]{1,5})?$/.exec(path)?.[1]
}

/** Undefined for the original. Throws BAD_USER_INPUT. */
export function readRendition(query: URLSearchParams): RenditionSpec | undefined {
  const spec: RenditionSpec = {}
  const format = query.get('format')
  if (query.has('width')) spec.width = Number(query.get('width') || NaN)
  if (query.has('height')) spec.height = Number(query.get('height') || NaN)
  if (format !== null) spec.format = readFormat(format)
  if (query.get('animated') === 'true') spec.animated = true
  if (Object.keys(spec).length === 0) return undefined
  checkRendition(spec)
  return spec
}

/** The stored format, unless that has no still raster images. */
export function renditionFormat(mimeType: string, { format, animated }: RenditionSpec): OutputFormat {
  if (format) return format
  const stored = OUTPUT_FORMATS.find((one) => MIME_TYPES[one] === mimeType) ?? 'PNG'
  if (stored === 'SVG') return 'PNG'
  return stored === 'GIF' ? (animated ? 'WEBP' : 'PNG') : stored
}

/** Throws BAD_USER_INPUT. */
export function checkRendition(spec: RenditionSpec): void {
  const { format, animated } = spec
  if (format === 'GIF' || format === 'SVG')
    throw badInput('format', `format is ${format}; renditions are PNG, JPEG or WEBP.`)
  if (animated && format !== undefined && format !== 'WEBP')
    throw badInput('animated', `animated needs format WEBP, or none; format is ${format}.`)
  for (const field of ['width', 'height'] as const) {
    const edge = spec[field]
    if (edge === undefined || (Number.isInteger(edge) && edge >= 1 && edge <= MAX_RENDITION_EDGE)) continue
    throw badInput(
      field,
      `${field} is ${edge}; it must be a whole number from 1 to ${MAX_RENDITION_EDGE} (pixels).`,
    )
  }
}

/** Empty for other media types. */
export function extensionOf(mimeType: string): string {
  return EXTENSIONS[mimeType] ?? ''
}

function readFormat(text: string): OutputFormat {
  const wanted = text.toUpperCase() === 'JPG' ? 'JPEG' : text.toUpperCase()
  const format = OUTPUT_FORMATS.find((known) => known === wanted)
  if (format) return format
  throw badInput('format', `format is ${JSON.stringify(text.slice(0, 60))}; use png, jpeg or webp.`)
}
