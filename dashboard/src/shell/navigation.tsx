import { Link, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { useReviewSummary } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { usePages, type Page } from './pages.ts'
import styles from './shell.module.css'

/** In the bar of narrow windows, with the button for the others. */
const MAX_IN_BAR = 5

/** A rail at the left, and a bar at the bottom of narrow windows. */
export function Navigation() {
  const pages = usePages()
  const isBar = useIsBar()
  const fits = !isBar || pages.length <= MAX_IN_BAR
  const shown = fits ? pages : pages.slice(0, MAX_IN_BAR - 1)
  return (
    <nav className={styles['nav']} aria-label="Pages">
      {shown.map((page) => (
        <PageLink key={page.to} page={page} />
      ))}
      {!fits && <More pages={pages.slice(MAX_IN_BAR - 1)} />}
    </nav>
  )
}

function PageLink({ page: { to, text, icon } }: { page: Page }) {
  return (
    <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
      <Icon name={icon} size={20} />
      {text}
      {to === '/review' && <Waiting />}
    </Link>
  )
}

/** Attempts that wait for a decision. */
function Waiting() {
  const { review } = useSession()
  const summary = useReviewSummary(review)
  const waiting = summary ? summary.outcomeUnknown + summary.costUnknown : 0
  if (waiting === 0) return null
  return (
    <span className={styles['count']}>
      {waiting > 99 ? '99+' : waiting}
      <span className="hidden"> waiting</span>
    </span>
  )
}

/** The other pages, above the bar. */
function More({ pages }: { pages: readonly Page[] }) {
  const [isOpen, setIsOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  useEffect(() => setIsOpen(false), [path])
  useEffect(() => {
    if (!isOpen) return undefined
    list.current?.querySelector('a')?.focus()
    function onPointer({ target }: PointerEvent): void {
      if (!list.current?.contains(target as Node) && !button.current?.contains(target as Node))
        setIsOpen(false)
    }
    addEventListener('pointerdown', onPointer)
    return () => removeEventListener('pointerdown', onPointer)
  }, [isOpen])
  const isCurrent = pages.some(({ to }) => path === to || path.startsWith(`${to}/`))
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen}
        data-status={isCurrent ? 'active' : undefined}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="more" size={20} />
        More
        {pages.some(({ to }) => to === '/review') && <Waiting />}
      </button>
      {isOpen && (
        <div
          ref={list}
          className={styles['more']}
          onKeyDown={({ key }) => {
            if (key !== 'Escape') return
            setIsOpen(false)
            button.current?.focus()
          }}
        >
          {pages.map((page) => (
            <PageLink key={page.to} page={page} />
          ))}
        </div>
      )}
    </>
  )
}

const bar = matchMedia('(max-width: 720px)')

function useIsBar(): boolean {
  return useSyncExternalStore(subscribe, () => bar.matches)
}

function subscribe(listener: () => void): () => void {
  bar.addEventListener('change', listener)
  return () => bar.removeEventListener('change', listener)
}
