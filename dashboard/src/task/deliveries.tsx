import { Link } from '@tanstack/react-router'
import type { TaskDetail } from '../api/generated.ts'
import { formatExactTime, formatOffset } from '../format/time.ts'
import styles from './event-list.module.css'

const STATES = { SUCCEEDED: 'delivered', PENDING: 'in progress', FAILED: 'failed' } as const

/** Messages about the end of a task to its receivers. Nothing without one. */
export function Deliveries({ task }: { task: TaskDetail }) {
  const { webhookDeliveries: deliveries } = task
  if (deliveries.length === 0) return null
  return (
    <section className={styles['deliveries']} aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Messages</h2>
      <ul>
        {deliveries.map(({ id, event, url, state, createdAt, tries }) => (
          <li key={id} className={styles['delivery']}>
            <time dateTime={createdAt} title={formatExactTime(createdAt)}>
              {formatOffset(task.createdAt, createdAt)}
            </time>
            <span className={styles['type']}>
              {event} <span className="muted">to</span> {url}{' '}
              <span className="muted">
                {STATES[state]}, {tries.length === 1 ? '1 try' : `${tries.length} tries`}
              </span>
            </span>
            <span className={styles['cursor']}>
              <Link to="/webhooks/deliveries/$id" params={{ id }} className="mono">
                {id}
              </Link>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
