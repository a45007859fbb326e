import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { formatBytes } from '../format/bytes.ts'
import { useLiveTask } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { Tile } from '../ui/tile.tsx'
import styles from './job-list.module.css'
import type { Job, Jobs } from './jobs.ts'

/** What was sent from here, newest first, side by side. */
export function JobList({ jobs }: { jobs: Jobs }) {
  const list = jobs.list()
  const first = useRef<HTMLLIElement>(null)
  const sending = list[0]?.state === 'sending' ? list[0].key : undefined
  // The list can be below the fold, where a press of Generate seems to have no effect.
  useEffect(() => {
    if (sending !== undefined) first.current?.scrollIntoView({ block: 'nearest' })
  }, [sending])
  if (list.length === 0) return null
  return (
    <section className={styles['jobs']} aria-label="Sent from here">
      <h2>Sent from here</h2>
      <ul className={styles['grid']}>
        {list.map((job, index) => (
          <li key={job.key} ref={index === 0 ? first : undefined}>
            {job.taskId === undefined ? (
              <Pending job={job} jobs={jobs} />
            ) : (
              <Result job={job} taskId={job.taskId} />
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Pending({ job, jobs }: { job: Job; jobs: Jobs }) {
  const { prompt, error, progress } = job
  return (
    <div className={styles['pending']} data-state={job.state}>
      <div className={styles['message']}>
        {error ? (
          <>
            <p className={styles['error']} role="alert">
              {error.message}
            </p>
            <div className={styles['row']}>
              <button type="button" className="button" onClick={() => void jobs.repeat(job.key)}>
                <Icon name="again" /> Try again
              </button>
              <button type="button" className="button quiet" onClick={() => jobs.dismiss(job.key)}>
                Dismiss
              </button>
            </div>
          </>
        ) : (
          <>
            <p>{progress && progress.sentBytes < progress.totalBytes ? 'Uploading' : 'Sending'}</p>
            {progress && (
              <>
                <progress value={progress.sentBytes} max={progress.totalBytes} aria-label="Upload" />
                <p className="muted">
                  {formatBytes(progress.sentBytes)} of {formatBytes(progress.totalBytes)}
                </p>
              </>
            )}
          </>
        )}
      </div>
      <p className={styles['prompt']}>{prompt}</p>
    </div>
  )
}

function Result({ job, taskId }: { job: Job; taskId: string }) {
  const { store } = useSession()
  const task = useLiveTask(store, taskId)
  const image = task?.images[0]
  const other = job.sourceId ?? task?.images[1]?.id ?? task?.partialImages[0]?.image.id
  return (
    <div>
      <Tile id={taskId} hasActions={false} />
      <div className={styles['actions']}>
        {image && (
          <Link to="/studio" search={{ from: image.id }} className={styles['action']}>
            <Icon name="edit" /> Edit
          </Link>
        )}
        {image && other !== undefined && (
          <Link to="/compare" search={{ a: other, b: image.id }} className={styles['action']}>
            <Icon name="compare" /> Compare
          </Link>
        )}
        <Link to="/studio" search={{ task: taskId }} className={styles['action']}>
          <Icon name="sliders" /> Same settings
        </Link>
      </div>
    </div>
  )
}
