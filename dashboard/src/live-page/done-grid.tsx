import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/problem.tsx'
import styles from './done-grid.module.css'
import { SectionTitle } from './section-title.tsx'
import { Tile } from '../ui/tile.tsx'
import { useHeld } from './use-held.ts'
import type { Pages } from './use-pages.ts'

const MIN_TILE_PX = 190
const NARROW_PX = 720
const CAPTION_PX = 50
const GAP_PX = 20
const ROW_GAP_PX = 24

/** Finished tasks, newest first. Only the rows near the window are in the document. */
export function DoneGrid({ ids, pages }: { ids: readonly string[]; pages: Pages }) {
  const { floor, readMore } = pages
  const complete = floor === undefined ? ids : ids.filter((id) => id >= floor)
  const section = useRef<HTMLElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const { shown, newCount, isPaused, setIsPaused, showNew } = useHeld(complete, section)
  const { width, top } = usePlace(list)
  const gap = width < NARROW_PX ? 12 : GAP_PX
  const columns = width < NARROW_PX ? 2 : Math.max(2, Math.floor((width + gap) / (MIN_TILE_PX + gap)))
  const tile = (width - gap * (columns - 1)) / columns
  const rows = Math.ceil(shown.length / columns)
  const virtualizer = useWindowVirtualizer({
    count: width > 0 ? rows : 0,
    estimateSize: () => tile + CAPTION_PX + ROW_GAP_PX,
    scrollMargin: top,
    overscan: 2,
  })
  useLayoutEffect(() => {
    virtualizer.measure()
  }, [virtualizer, tile])
  const items = virtualizer.getVirtualItems()
  const lastRow = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (lastRow >= rows - 2) readMore()
  }, [lastRow, rows, readMore])

  return (
    <section ref={section} aria-label="Done">
      <div className={styles['head']}>
        <SectionTitle text="Done" />
        {newCount > 0 && (
          <button type="button" className="button" onClick={showNew}>
            {newCount} new
          </button>
        )}
        <button
          type="button"
          className={`button quiet ${styles['pause']}`}
          aria-pressed={isPaused}
          onClick={() => setIsPaused(!isPaused)}
        >
          <Icon name={isPaused ? 'play' : 'pause'} />
          {isPaused ? 'Continue' : 'Pause'}
        </button>
      </div>
      <div
        ref={list}
        className={styles['list']}
        style={{ height: virtualizer.getTotalSize() }}
        onKeyDown={(event) => moveFocus(event, columns)}
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
            {shown.slice(row.index * columns, (row.index + 1) * columns).map((id) => (
              <Tile key={id} id={id} />
            ))}
          </div>
        ))}
      </div>
      {pages.error && <Problem error={pages.error} onRetry={readMore} />}
    </section>
  )
}

/** Width of the list, and its distance from the top of the document, which changes with what runs above it. */
function usePlace(list: { current: HTMLElement | null }): { width: number; top: number } {
  const [place, setPlace] = useState({ width: 0, top: 0 })
  useLayoutEffect(() => {
    const measure = () => {
      const box = list.current?.getBoundingClientRect()
      if (!box) return
      const next = { width: box.width, top: Math.round(box.top + scrollY) }
      setPlace((last) => (last.width === next.width && last.top === next.top ? last : next))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [list])
  return place
}

const MOVES: Readonly<Record<string, (columns: number) => number>> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
  Home: () => Number.NEGATIVE_INFINITY,
  End: () => Number.POSITIVE_INFINITY,
}

function moveFocus(event: KeyboardEvent<HTMLElement>, columns: number): void {
  const move = MOVES[event.key]
  if (!move) return
  const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-task]')]
  const from = tiles.indexOf(document.activeElement as HTMLElement)
  if (from === -1) return
  event.preventDefault()
  tiles[Math.min(tiles.length - 1, Math.max(0, from + move(columns)))]?.focus()
}
