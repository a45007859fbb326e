import { formatClock } from '../format/time.ts'
import type { Feed } from '../live/feed.ts'
import { useLink, useOnline } from '../live/hooks.ts'
import type { Link } from '../live/link-state.ts'
import { Icon } from '../ui/icon.tsx'
import styles from './shell.module.css'

/** The state of the live connection, announced on change. */
export function LinkState({ feed }: { feed: Feed }) {
  const link = useLink(feed)
  const isOnline = useOnline()
  return (
    <span className={styles['link']} data-state={isOnline ? link.state : 'reconnecting'} role="status">
      <Icon name={isOnline && link.state !== 'reconnecting' ? 'link' : 'broken'} size={16} />
      <span className={styles['word']}>{isOnline ? textOf(link) : 'Offline'}</span>
    </span>
  )
}

function textOf(link: Link): string {
  if (link.state === 'reconnecting') return `Reconnecting, data from ${formatClock(link.since)}`
  if (link.state === 'caught-up')
    return `Caught up ${link.count} missed ${link.count === 1 ? 'event' : 'events'}`
  return { connecting: 'Connecting', live: 'Live', paused: 'Paused' }[link.state]
}
