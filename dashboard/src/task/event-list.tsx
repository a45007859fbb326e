import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState } from 'react'
import type { EventRow, TaskDetail } from '../api/generated.ts'
import { formatExactTime, formatOffset } from '../format/time.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { Problem } from '../ui/problem.tsx'
import { Deliveries } from './deliveries.tsx'
import styles from './event-list.module.css'
import { useEvents } from './use-events.ts'

const ROW_PX = 41

/** The events of a task with their cursors, oldest first, and its messages. Only the rows near the window are in the document. */
export function EventList({ task }: { task: TaskDetail }) {
  const { rows, total, error, readEarlier, reload } = useEvents(task.id, task.revision)
  const list = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const virtualizer = useWindowVirtualizer({
    count: rows?.length ?? 0,
    estimateSize: () => ROW_PX,
    scrollMargin: top,
    // Most tasks have fewer events: all of them are found by the search of the browser.
    overscan: 100,
  })
  useLayoutEffect(() => {
    const box = list.current?.getBoundingClientRect()
    if (box) setTop(Math.round(box.top + scrollY))
  }, [rows])

  if (error) return <Problem error={error} onRetry={reload} />
  if (!rows) return <p className="muted">Reading the events</p>
  return (
    <>
      {total > rows.length && (
        <p className={styles['earlier']}>
          <button type="button" className="button" onClick={() => void readEarlier()}>
            Earlier events
          </button>
          <span className="muted">
            The latest {rows.length} of {total}
          </span>
        </p>
      )}
      <div
        ref={list}
        role="list"
        aria-label="Events"
        className={styles['events']}
        style={{ height: virtualizer.getTotalSize() }}
      >
        {virtualizer.getVirtualItems().map((item) => {
          const event = rows[item.index]
          if (!event) return null
          return (
            <div
              key={event.cursor}
              ref={virtualizer.measureElement}
              data-index={item.index}
              role="listitem"
              aria-setsize={rows.length}
              aria-posinset={item.index + 1}
              className={styles['event']}
              style={{ transform: `translateY(${item.start - top}px)` }}
            >
              <time dateTime={event.at} title={formatExactTime(event.at)}>
                {formatOffset(task.createdAt, event.at)}
              </time>
              <span className={styles['type']}>
                {event.type} <span className="muted">{detailOf(event)}</span>
              </span>
              <span className={styles['cursor']}>
                <CopyButton text={event.cursor} what="cursor" />
              </span>
            </div>
          )
        })}
      </div>
      <Deliveries task={task} />
    </>
  )
}

function detailOf(event: EventRow): string {
  if (event.type === 'TaskProgressed') return `${Math.round(event.progress * 100)} %`
  return event.type === 'TaskFinished' ? event.status : ''
}
