import { OUTPUT_FORMATS, type OutputFormat } from '../domain.ts'
import { badInput } from '../errors.ts'
import { MIME_TYPES } from './format.ts'

/** In pixels. Renditions keep the aspect ratio and are never enlarged. */
export interface RenditionSpec {
  width?: number
  height?: number
  format?: OutputFormat
}

const MAX_RENDITION_EDGE = 4096

const EXTENSIONS: Record<string, string> = {
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/webp': '.webp',
}

/** Throws BAD_USER_INPUT. */
export function assetPath(id: string, mimeType: string, spec: RenditionSpec = {}): string {
  checkRendition(spec)
  const extension = extensionOf(spec.format ? MIME_TYPES[spec.format] : mimeType)
  const query = new URLSearchParams()
  if (spec.width !== undefined) query.set('width', String(spec.width))
  if (spec.height !== undefined) query.set('height', String(spec.height))
  if (spec.format !== undefined) query.set('format', spec.format.toLowerCase())
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
  if (Object.keys(spec).length === 0) return undefined
  checkRendition(spec)
  return spec
}

/** Throws BAD_USER_INPUT. */
export function checkRendition(spec: RenditionSpec): void {
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
