// Images of the form: files, addresses and images of the library, checked before anything is uploaded.
import type { StudioImage } from '../../api/generated.ts'
import { formatBytes } from '../../format/bytes.ts'

export const MAX_IMAGES = 16
export const MAX_FILE_BYTES = 20 * 1024 * 1024
export const MAX_PIXELS = 40_000_000
const TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp'])
/** For the file dialog. */
export const ACCEPTED = [...TYPES].join(',')

export interface InputImage {
  /** Of the list on the page. */
  key: string
  name: string
  source: { file: Blob } | { imageId: string } | { url: string }
  /** Of a file, of the library, or of the address, which the page may not show. */
  preview: string | undefined
  /** Undefined for an address, which only the server reads. */
  size: { width: number; height: number } | undefined
}

/** What a check found, with the name of the file. */
export interface FileProblem {
  name: string
  message: string
}

/** Before the file is decoded. */
export function fileProblem({ type, size }: { type: string; size: number }): string | undefined {
  if (!TYPES.has(type)) return `is ${type === '' ? 'of an unknown type' : type}. Use PNG, JPEG or WebP.`
  if (size > MAX_FILE_BYTES) return `has ${formatBytes(size)}; the maximum is ${formatBytes(MAX_FILE_BYTES)}.`
  return undefined
}

export function pixelProblem({ width, height }: { width: number; height: number }): string | undefined {
  if (width * height <= MAX_PIXELS) return undefined
  return `has ${width} × ${height} pixels; the maximum is ${MAX_PIXELS / 1_000_000} million.`
}

export function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:') return undefined
  return 'is not an address of the form https://…'
}

/** Decodes a file to know its size in pixels. Resolves to a problem for one that is no image. */
export async function readFile(file: File, key: string): Promise<InputImage | FileProblem> {
  const name = file.name || 'Pasted image'
  const problem = fileProblem(file)
  if (problem !== undefined) return { name, message: problem }
  const preview = URL.createObjectURL(file)
  try {
    const image = new Image()
    image.src = preview
    await image.decode()
    const size = { width: image.naturalWidth, height: image.naturalHeight }
    const tooLarge = pixelProblem(size)
    if (tooLarge !== undefined) throw new Error(tooLarge)
    return { key, name, source: { file }, preview, size }
  } catch (error) {
    URL.revokeObjectURL(preview)
    const isKnown = error instanceof Error && error.message.startsWith('has ')
    return { name, message: isKnown ? error.message : 'is damaged: it cannot be decoded.' }
  }
}

/** A GIF or an SVG is sent as the PNG of its first frame, which is read here. */
export async function readLibraryImage(image: StudioImage, key: string): Promise<InputImage> {
  const { id, width, height, mimeType, large, png } = image
  const size = { width, height }
  if (TYPES.has(mimeType)) return { key, name: id, source: { imageId: id }, preview: large, size }
  const response = await fetch(png)
  if (!response.ok) throw new Error(`The image ${id} could not be read: HTTP ${response.status}.`)
  const file = await response.blob()
  return { key, name: id, source: { file }, preview: URL.createObjectURL(file), size }
}

export function isProblem(found: InputImage | FileProblem): found is FileProblem {
  return 'message' in found
}

export function release({ source, preview }: InputImage): void {
  if ('file' in source && preview !== undefined) URL.revokeObjectURL(preview)
}

/** Without a pointer: one place to the left or right. */
export function moveImage<Item>(images: readonly Item[], from: number, to: number): Item[] {
  const next = [...images]
  const [moved] = next.splice(from, 1)
  if (moved !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, moved)
  return next
}
