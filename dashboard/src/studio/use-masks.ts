import { useState } from 'react'
import type { StudioImage } from '../api/generated.ts'
import { importMask } from './mask/import-mask.ts'
import { encodeMarkup, encodeMask } from './mask/png.ts'
import { rasterize, shareOf } from './mask/raster.ts'
import { addStroke, EMPTY_MASK, strokesOf, type MaskState } from './mask/strokes.ts'
import type { InputImage } from './images/input-images.ts'

interface Mask {
  state: MaskState
  /** Of the painted pixels, from 0 to 1. */
  share: number
  /** What the painted parts are: a mask is redrawn, markup is a hint. */
  role: MaskRole
}

export type MaskRole = 'mask' | 'markup'

const NONE: Mask = { state: EMPTY_MASK, share: 0, role: 'mask' }

/** A mask belongs to its image: it is used while that is the first one. */
export function useMasks(images: readonly InputImage[]) {
  const [masks, setMasks] = useState<ReadonlyMap<string, Mask>>(new Map())
  /** The state that needs no question before leaving: sent, or filled in. */
  const [kept, setKept] = useState<MaskState>()
  const first = images[0]
  const mask = (first && masks.get(first.key)) ?? NONE
  const set = (key: string, next: Mask) => setMasks((last) => new Map(last).set(key, next))
  return {
    mask,
    isMask: mask.share > 0 && mask.role === 'mask',
    isMarkup: mask.share > 0 && mask.role === 'markup',
    isUnsent: mask.share > 0 && mask.state !== kept,
    keep: () => setKept(mask.state),
    change: (state: MaskState, share: number) => first && set(first.key, { ...mask, state, share }),
    setRole: (role: MaskRole) => first && set(first.key, { ...mask, role }),
    /** The part of the input. Empty without paint. */
    encode: async (): Promise<{ mask?: Blob; markup?: Blob }> => {
      if (!first?.size || mask.share === 0) return {}
      const raster = rasterize(strokesOf(mask.state), first.size)
      if (mask.role === 'mask') return { mask: await encodeMask(raster) }
      return { markup: await encodeMarkup(raster) }
    },
    /** The mask of an earlier task. Without an image of known size there is none. */
    fill: async ({ key, size }: InputImage, source: StudioImage) => {
      if (!size) return
      const response = await fetch(source.png)
      const pixels = await importMask(await response.blob(), size)
      const state = addStroke(EMPTY_MASK, { kind: 'import', pixels })
      set(key, { state, share: shareOf({ ...size, pixels }), role: 'mask' })
      setKept(state)
    },
  }
}
