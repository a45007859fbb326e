import { Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { filterOf, isFiltered, matches } from '../live/filter.ts'
import { useDone, useFeedStatus, useHasNoTask, useHasNothing, useListed } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Problem } from '../ui/problem.tsx'
import { Composer } from './composer.tsx'
import { DoneGrid } from './done-grid.tsx'
import { Filters } from './filters.tsx'
import styles from './live-page.module.css'
import { Running } from './running.tsx'
import { TaskTable } from './task-table.tsx'
import { usePages, type Pages } from './use-pages.ts'

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
  const { isLoaded, error } = useFeedStatus(feed)
  const { view, size = 'm' } = search
  const hasNothing = useHasNothing(store)
  const hasNoTask = useHasNoTask(store)
  const filterKey = JSON.stringify(filterOf(search))

  useEffect(() => {
    const current = JSON.parse(filterKey) as ReturnType<typeof filterOf>
    store.setFilter((task) => matches(task, current))
  }, [store, filterKey])
  const pages = usePages(filterOf(search), isLoaded)

  if (error && !isLoaded) return <Problem error={error} onRetry={() => feed.start()} />
  const isFilteredNow = isFiltered(search)
  const isEmpty = isLoaded && hasNoTask && !isFilteredNow
  const clear = () => void navigate({ search: { view, size: search.size } })

  return (
    <>
      <title>Live · Darkroom</title>
      <h1 className={isEmpty ? styles['invitation'] : 'hidden'}>
        {isEmpty ? 'Make the first picture' : 'Live'}
      </h1>
      {isLoaded && may('GENERATE') && <Composer isFirst={isEmpty} />}
      {isLoaded && !isEmpty && <Filters search={search} />}
      {isLoaded && view !== 'table' && <Running search={search} />}
      {!isLoaded && <Skeleton />}
      {isLoaded && isFilteredNow && hasNothing && !pages.isReading && (
        <div className={styles['nothing']}>
          <p>No task matches.</p>
          <button type="button" className="button" onClick={clear}>
            Clear the filters
          </button>
        </div>
      )}
      {isLoaded && view !== 'table' && <Done key={filterKey} pages={pages} size={size} />}
      {isLoaded && view === 'table' && <All key={filterKey} pages={pages} />}
    </>
  )
}

// Apart from the page, which would else be rendered with each change of the lists.
function Done({ pages, size }: { pages: Pages; size: 's' | 'm' | 'l' }) {
  const ids = useDone(useSession().store)
  return ids.length > 0 && <DoneGrid ids={ids} pages={pages} size={size} />
}

function All({ pages }: { pages: Pages }) {
  const ids = useListed(useSession().store)
  return ids.length > 0 && <TaskTable ids={ids} pages={pages} />
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
