import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import styles from './tile-grid.module.css'
import { usePlace } from './use-place.ts'

interface TileGridProps {
  count: number
  keyOf: (index: number) => string
  label: string
  /** Of a tile. On narrow windows there are at least two columns. */
  minTilePx: number
  /** Height of what is below the square of a tile. */
  captionPx: number
  /** `tabIndex`: of everything in the tile that can be focused. One tile of the grid has 0. */
  children: (index: number, tabIndex: 0 | -1) => ReactNode
  /** The last rows are in view. */
  onEnd: () => void
}

const NARROW_PX = 720
const ROW_GAP_PX = 24

/**
 * Square tiles of which only the rows near the window are in the document. Arrows, Home, End and Page keys move the focus to the
 * first link of a tile.
 */
export function TileGrid({ count, keyOf, label, minTilePx, captionPx, children, onEnd }: TileGridProps) {
  const list = useRef<HTMLDivElement>(null)
  const [current, setCurrent] = useState(0)
  const isMoving = useRef(false)
  const { width, top } = usePlace(list)
  const isNarrow = width < NARROW_PX
  const gap = isNarrow ? 12 : 20
  const columns = Math.max(isNarrow ? 2 : 1, Math.floor((width + gap) / (minTilePx + gap)))
  const tile = (width - gap * (columns - 1)) / columns
  const rows = Math.ceil(count / columns)
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? rows : 0,
    estimateSize: () => tile + captionPx + ROW_GAP_PX,
    scrollMargin: top,
    overscan: 2,
  })
  useLayoutEffect(() => {
    virtualizer.measure()
  }, [virtualizer, tile])
  const items = virtualizer.getVirtualItems()
  const lastRow = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (rows > 0 && lastRow >= rows - 2) onEnd()
  }, [lastRow, rows, onEnd])

  const first = (items[0]?.index ?? 0) * columns
  const end = Math.min(count, (lastRow + 1) * columns)
  // The tile with the tab stop may be out of the document.
  const stop = current >= first && current < end ? current : first
  useLayoutEffect(() => {
    const target = isMoving.current
      ? list.current?.querySelector<HTMLElement>(`[data-index="${current}"] a`)
      : undefined
    if (!target) return
    isMoving.current = false
    target.focus({ preventScroll: true })
  })

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const from = Number((event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset['index'])
    const page = Math.max(1, Math.floor(innerHeight / (tile + captionPx + ROW_GAP_PX))) * columns
    const step = stepOf(event.key, { columns, page, count })
    if (step === undefined || Number.isNaN(from) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const to = Math.min(count - 1, Math.max(0, from + step))
    isMoving.current = true
    setCurrent(to)
    virtualizer.scrollToIndex(Math.floor(to / columns))
  }

  return (
    <div
      ref={list}
      className={styles['list']}
      role="group"
      aria-label={label}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
      onFocus={({ target }) => {
        const index = target.closest<HTMLElement>('[data-index]')?.dataset['index']
        if (index !== undefined) setCurrent(Number(index))
      }}
    >
      {items.map((row) => (
        <div
          key={row.key}
          className={styles['row']}
          style={{
            transform: `translateY(${row.start - top}px)`,
            gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            columnGap: gap,
          }}
        >
          {Array.from({ length: Math.min(columns, count - row.index * columns) }, (_, column) => {
            const index = row.index * columns + column
            return (
              <div key={keyOf(index)} data-index={index}>
                {children(index, index === stop ? 0 : -1)}
              </div>
            )
          })}
        </div>
      ))}
    </div>
  )
}

/** By how many tiles a key moves. Undefined for other keys. */
function stepOf(
  key: string,
  { columns, page, count }: { columns: number; page: number; count: number },
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -page,
    PageDown: page,
    Home: -count,
    End: count,
  }
  return steps[key]
}
