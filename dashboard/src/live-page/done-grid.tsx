import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { Problem } from '../ui/problem.tsx'
import styles from './done-grid.module.css'
import { HeldHead } from './held-head.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { Tile } from '../ui/tile.tsx'
import { usePlace } from '../ui/use-place.ts'
import { useHeld } from './use-held.ts'
import type { Pages } from './use-pages.ts'

const MIN_TILE_PX = { s: 130, m: 190, l: 300 } as const
const NARROW_PX = 720
const CAPTION_PX = 50
const GAP_PX = 20
const ROW_GAP_PX = 24

/** Finished tasks, newest first. Only the rows near the window are in the document. */
export function DoneGrid({
  ids,
  pages,
  size,
}: {
  ids: readonly string[]
  pages: Pages
  size: 's' | 'm' | 'l'
}) {
  const { floor, readMore } = pages
  const complete = floor === undefined ? ids : ids.filter((id) => id >= floor)
  const section = useRef<HTMLElement>(null)
  const held = useHeld(complete, section)
  const { shown } = held
  const list = useRef<HTMLDivElement>(null)
  const { width, top } = usePlace(list)
  const gap = width < NARROW_PX ? 12 : GAP_PX
  const columns = width < NARROW_PX ? 2 : Math.max(2, Math.floor((width + gap) / (MIN_TILE_PX[size] + gap)))
  const tile = (width - gap * (columns - 1)) / columns
  const rowHeight = tile + CAPTION_PX + ROW_GAP_PX
  const rows = Math.ceil(shown.length / columns)
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? rows : 0,
    estimateSize: () => rowHeight,
    scrollMargin: top,
    overscan: 2,
  })
  useLayoutEffect(() => {
    virtualizer.measure()
  }, [virtualizer, tile])
  const roving = useRovingFocus<HTMLDivElement>(columns, list)
  const items = virtualizer.getVirtualItems()
  const firstRow = items[0]?.index ?? 0
  const lastRow = items.at(-1)?.index ?? -1
  const first = firstRow * columns
  const cells = shown.slice(first, (lastRow + 1) * columns)
  useEffect(() => {
    if (lastRow >= rows - 2) readMore()
  }, [lastRow, rows, readMore])

  return (
    <section ref={section} aria-label="Done">
      <HeldHead title="Done" held={held} />
      <div {...roving} className={styles['list']} style={{ height: virtualizer.getTotalSize() }}>
        {cells.map((id, index) => {
          const position = first + index
          const x = (position % columns) * (tile + gap)
          const y = (Math.floor(position / columns) - firstRow) * rowHeight + (items[0]?.start ?? top) - top
          // Each task keeps its element when others come before it: only its place changes.
          return (
            <div
              key={id}
              className={styles['cell']}
              style={{ transform: `translate(${x}px, ${y}px)`, width: tile }}
            >
              <Tile id={id} />
            </div>
          )
        })}
      </div>
      {pages.error && <Problem error={pages.error} onRetry={readMore} />}
    </section>
  )
}
