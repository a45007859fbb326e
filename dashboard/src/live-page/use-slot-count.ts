import { useEffect, type RefObject } from 'react'
import type { TaskStore } from '../live/task-store.ts'

const MAX_SLOTS = 48
const MIN_SLOTS = 4
const SCREENS = 2
/** Below each picture. */
const CAPTION_PX = 74

/** As many places as fit on two screens. `minTilePx`: of the grid of running tasks. */
export function useSlotCount(
  store: TaskStore,
  section: RefObject<HTMLElement | null>,
  minTilePx: number,
): void {
  useEffect(() => {
    const measure = () =>
      store.setMaxSlots(slotCount(section.current?.clientWidth ?? innerWidth, innerHeight, minTilePx))
    measure()
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
  }, [store, section, minTilePx])
}

export function slotCount(width: number, height: number, minTilePx: number): number {
  const gap = width < 720 ? 12 : 20
  const columns = width < 720 ? 2 : Math.max(1, Math.floor((width + gap) / (minTilePx + gap)))
  const tile = (width - gap * (columns - 1)) / columns + CAPTION_PX
  return Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, columns * Math.ceil((SCREENS * height) / tile)))
}
