import { Link } from '@tanstack/react-router'
import { useRef } from 'react'
import type { LiveSearch } from '../live/filter.ts'
import { useSlots, useWaitingCount } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { Tile } from '../ui/tile.tsx'
import styles from './live-page.module.css'
import { SectionTitle } from './section-title.tsx'
import { useSlotCount } from './use-slot-count.ts'

/** Minimum width of a tile, by `size`. */
const TILE_PX = { s: 190, m: 260, l: 380 } as const

/** What runs, in fixed places. */
export function Running({ search }: { search: LiveSearch }) {
  const { store } = useSession()
  const { size = 'm' } = search
  const slots = useSlots(store)
  const waiting = useWaitingCount(store)
  const section = useRef<HTMLElement>(null)
  const roving = useRovingFocus<HTMLUListElement>('auto')
  useSlotCount(store, section, TILE_PX[size])
  return (
    <section ref={section} aria-label="Running" className={styles['section']}>
      {slots.entries.length > 0 && (
        <>
          <SectionTitle text="Developing" count={slots.entries.filter(Boolean).length + waiting} />
          <ul className={styles['grid']} data-size={size} data-kind="running" {...roving}>
            {slots.entries.map((entry, index) => (
              // A place keeps its element; the picture in it belongs to its task.
              <li key={index} className={entry ? undefined : styles['free']}>
                {entry && <Tile key={entry.id} id={entry.id} />}
              </li>
            ))}
          </ul>
          {waiting > 0 && (
            <p className={styles['more']}>
              <Link to="/" search={{ ...search, view: 'table' }}>
                {waiting.toLocaleString('en')} more running
              </Link>
            </p>
          )}
        </>
      )}
    </section>
  )
}
