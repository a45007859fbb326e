import { Link, useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useReviewSummary } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { usePages } from './pages.ts'
import styles from './shell.module.css'

/** A rail at the left, and a bar at the bottom of narrow windows. */
export function Navigation() {
  const { review } = useSession()
  const pages = usePages()
  const summary = useReviewSummary(review)
  const waiting = summary ? summary.outcomeUnknown + summary.costUnknown : 0
  const nav = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  useEffect(() => {
    // The bar of a narrow window scrolls.
    nav.current
      ?.querySelector('[data-status=active]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [pathname])
  return (
    <nav ref={nav} className={styles['nav']} aria-label="Pages">
      {pages.map(({ to, text, icon }) => (
        <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
          <Icon name={icon} size={20} />
          {text}
          {to === '/review' && waiting > 0 && (
            <span className={styles['count']}>
              {waiting > 99 ? '99+' : waiting}
              <span className="hidden"> waiting</span>
            </span>
          )}
        </Link>
      ))}
    </nav>
  )
}
