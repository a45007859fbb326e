import { useEffect, useState } from 'react'
import { ReadEvents, type EventRow, type TaskDetail } from '../api/generated.ts'
import { formatExactTime, formatOffset } from '../format/time.ts'
import { useSession } from '../session/context.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { Problem } from '../ui/problem.tsx'
import styles from './event-list.module.css'

/** The latest 100 events of a task with their cursors, oldest first. */
export function EventList({ task }: { task: TaskDetail }) {
  const { connection } = useSession()
  const { id, revision } = task
  const [list, setList] = useState<{ totalCount: number; nodes: EventRow[] }>()
  const [error, setError] = useState<Error>()
  const [reads, setReads] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    connection.read(ReadEvents, { id }, abort.signal).then(
      ({ events }) => {
        setList(events)
        setError(undefined)
      },
      (problem: unknown) => {
        if (!abort.signal.aborted) setError(problem as Error)
      },
    )
    return () => abort.abort()
  }, [connection, id, revision, reads])

  if (error) return <Problem error={error} onRetry={() => setReads(reads + 1)} />
  if (!list) return <p className="muted">Reading the events</p>
  return (
    <>
      {list.totalCount > list.nodes.length && (
        <p className="muted">
          The latest {list.nodes.length} of {list.totalCount} events.
        </p>
      )}
      <ol className={styles['events']}>
        {list.nodes.map((event) => (
          <li key={event.cursor} className={styles['event']}>
            <time dateTime={event.at} title={formatExactTime(event.at)}>
              {formatOffset(task.createdAt, event.at)}
            </time>
            <span className={styles['type']}>
              {event.type} <span className="muted">{detailOf(event)}</span>
            </span>
            <span className={styles['cursor']}>
              <CopyButton text={event.cursor} what="cursor" />
            </span>
          </li>
        ))}
      </ol>
    </>
  )
}

function detailOf(event: EventRow): string {
  if (event.type === 'TaskProgressed') return `${Math.round(event.progress * 100)} %`
  return event.type === 'TaskFinished' ? event.status : ''
}
