import type { GalleryImage } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'

export const KIND_TEXTS: Readonly<Record<GalleryImage['kind'], string>> = {
  FINAL: 'Result',
  PARTIAL: 'Preview',
  INPUT: 'Input',
  MASK: 'Mask',
  MARKUP: 'Markup',
}

/** Its share of the cost. "unknown" while that is not known. */
export function costText({ task, costMicros }: GalleryImage): string {
  return task.charged === 'NO' ? 'not charged' : formatMoney(costMicros)
}

/** For labels: what it is, and of which task. */
export function nameOf({ kind, task }: GalleryImage): string {
  return `${KIND_TEXTS[kind].toLowerCase()} of “${task.prompt.slice(0, 80)}”`
}

/** `PNG` of `image/png`. */
export function formatName(mimeType: string): string {
  const name = mimeType.replace(/^image\/|\+xml$/g, '')
  return name === 'webp' ? 'WebP' : name.toUpperCase()
}
