import type { Warning } from '../../domain.ts'
import { parseSize } from '../../domain.ts'

/**
 * Pure. A warning when images came in another size than the one that was asked for, `auto` being none. They are kept:
 * they were paid for, and a picture of another size is worth more than none.
 */
export function sizeWarnings(asked: string, images: readonly { width: number; height: number }[]): Warning[] {
  if (!parseSize(asked)) return []
  const came = new Set(images.map(({ width, height }) => `${width}x${height}`))
  came.delete(asked)
  if (came.size === 0) return []
  return [
    {
      code: 'SIZE_DIFFERS',
      field: 'size',
      message: `${asked} was asked for, and ${[...came].join(', ')} came.`,
    },
  ]
}
