import { Link, Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { filterOf, isFiltered, matches } from '../live/filter.ts'
import { useDone, useFeedStatus, useListed, useSlots, useWaitingCount } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Problem } from '../ui/problem.tsx'
import { Composer } from './composer.tsx'
import { DoneGrid } from './done-grid.tsx'
import { Filters } from './filters.tsx'
import styles from './live-page.module.css'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { SectionTitle } from './section-title.tsx'
import { Tile } from '../ui/tile.tsx'
import { TaskTable } from './task-table.tsx'
import { usePages } from './use-pages.ts'
import { useSlotCount } from './use-slot-count.ts'

/** Of running tasks, by `size`. */
const RUNNING_TILE_PX = { s: 190, m: 260, l: 380 } as const

export function LivePage() {
  const { may } = useSession()
  if (may('READ')) return <Live />
  if (may('REPORT') && !may('GENERATE')) return <Navigate to="/usage" replace />
  const text = may('GENERATE')
    ? 'This key may create tasks but not watch them'
    : 'This key may not watch tasks'
  return <NoRight scope="READ" text={text} />
}

/** What runs, in fixed places, and what is done. */
function Live() {
  const { store, feed, may } = useSession()
  const search = useSearch({ from: '/' })
  const navigate = useNavigate({ from: '/' })
  const slots = useSlots(store)
  const done = useDone(store)
  const waiting = useWaitingCount(store)
  const { isLoaded, error } = useFeedStatus(feed)
  const { view, size = 'm' } = search
  const listed = useListed(store)
  const filterKey = JSON.stringify(filterOf(search))
  const content = useRef<HTMLElement>(null)

  useEffect(() => {
    const current = JSON.parse(filterKey) as ReturnType<typeof filterOf>
    store.setFilter((task) => matches(task, current))
  }, [store, filterKey])
  const roving = useRovingFocus<HTMLUListElement>('auto')
  const pages = usePages(filterOf(search), isLoaded)
  useSlotCount(store, content, RUNNING_TILE_PX[size])

  if (error && !isLoaded) return <Problem error={error} onRetry={() => feed.start()} />
  const isFilteredNow = isFiltered(search)
  const isEmpty = isLoaded && store.size() === 0 && !isFilteredNow
  const hasNothing = slots.entries.length === 0 && done.length === 0
  const clear = () => void navigate({ search: { view, size: search.size } })

  return (
    <>
      <title>Live · Darkroom</title>
      <h1 className={isEmpty ? styles['invitation'] : 'hidden'}>
        {isEmpty ? 'Make the first picture' : 'Live'}
      </h1>
      {isLoaded && may('GENERATE') && <Composer isFirst={isEmpty} />}
      {isLoaded && !isEmpty && <Filters search={search} />}
      <section ref={content} aria-label="Running" className={styles['section']}>
        {view !== 'table' && slots.entries.length > 0 && (
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
      {!isLoaded && <Skeleton />}
      {isLoaded && isFilteredNow && hasNothing && !pages.isReading && (
        <div className={styles['nothing']}>
          <p>No task matches.</p>
          <button type="button" className="button" onClick={clear}>
            Clear the filters
          </button>
        </div>
      )}
      {isLoaded && view !== 'table' && done.length > 0 && (
        <DoneGrid key={filterKey} ids={done} pages={pages} size={size} />
      )}
      {isLoaded && view === 'table' && listed.length > 0 && (
        <TaskTable key={filterKey} ids={listed} pages={pages} />
      )}
    </>
  )
}

function Skeleton() {
  return (
    <div className={styles['grid']} aria-hidden="true">
      {Array.from({ length: 12 }, (_, index) => (
        <div key={index} className={styles['skeleton']} />
      ))}
    </div>
  )
}
