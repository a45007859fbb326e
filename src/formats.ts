export const OUTPUT_FORMATS = ['PNG', 'JPEG', 'WEBP', 'GIF', 'SVG'] as const
export const IMAGE_MIME_TYPES = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/svg+xml',
] as const
export const COMPLEXITIES = ['LOW', 'MEDIUM', 'HIGH'] as const
export const SVG_EFFORTS = ['NONE', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'XHIGH', 'MAX'] as const

export type OutputFormat = (typeof OUTPUT_FORMATS)[number]
export type MimeType = (typeof IMAGE_MIME_TYPES)[number]
export type Complexity = (typeof COMPLEXITIES)[number]
export type SvgEffort = (typeof SVG_EFFORTS)[number]

/** Of a GIF; null: the provider's default. */
export interface Animation {
  frames: number | null
  frameDurationMs: number | null
}

/** The model that writes an SVG. */
export interface SvgAuthor {
  model: string
  /** Null: the author's default. */
  effort: SvgEffort | null
}

/** By their name at the provider; unknown to Darkroom. */
export type Extra = Readonly<Record<string, unknown>>
