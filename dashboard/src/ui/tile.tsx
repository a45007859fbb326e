import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { ReadTile, type LiveTask } from '../api/generated.ts'
import { formatMoney, formatExactMoney } from '../format/money.ts'
import { formatAge, formatDuration, formatExactTime } from '../format/time.ts'
import { useLiveTask, useNow } from '../live/hooks.ts'
import { isRunning } from '../live/task-store.ts'
import { useSession } from '../session/context.ts'
import { Picture } from './picture.tsx'
import { Status } from './status.tsx'
import { TileActions } from './tile-actions.tsx'
import styles from './tile.module.css'

const SIZES = '(max-width: 720px) 50vw, 320px'

/** One task: its picture in the best state so far, its prompt, and what it costs. */
export const Tile = memo(function Tile({ id, hasActions = true }: { id: string; hasActions?: boolean }) {
  const { store, connection } = useSession()
  const task = useLiveTask(store, id)
  if (!task) return null
  const isBusy = isRunning(task)
  const image = task.images[0] ?? task.partialImages.at(-1)?.image

  async function refresh(): Promise<void> {
    const fresh = await connection.read(ReadTile, { id })
    if (fresh) store.put([fresh])
  }

  const tile = (
    <Link to="/tasks/$id" params={{ id }} className={styles['tile']} data-task={id} data-status={task.status}>
      <span className={styles['picture']}>
        <Picture
          image={image}
          alt={task.prompt}
          sizes={SIZES}
          isRunning={isBusy}
          onFail={() => void refresh().catch(() => {})}
        />
        {task.status !== 'SUCCEEDED' && (
          <span className={styles['badge']}>
            <Status status={task.status} isOverlay />
          </span>
        )}
        {!image && task.error && <span className={styles['error']}>{task.error.message}</span>}
        {task.images.length > 1 && <span className={styles['number']}>{task.images.length}</span>}
        {isBusy && (
          <span
            className={styles['progress']}
            style={{ transform: `scaleX(${Math.max(0.02, task.progress)})` }}
            aria-hidden="true"
          />
        )}
      </span>
      <span className={styles['prompt']}>{task.prompt}</span>
      {isBusy ? <RunningFacts task={task} /> : <DoneFacts task={task} />}
    </Link>
  )
  if (!hasActions) return tile
  return (
    <div className={styles['cell']} data-roving>
      {tile}
      <TileActions task={task} className={styles['actions']} />
    </div>
  )
})

function RunningFacts({ task }: { task: LiveTask }) {
  const now = useNow(1_000)
  const sinceMs = Math.max(0, now - Date.parse(task.startedAt ?? task.createdAt))
  const provider = task.provider?.name ?? task.model
  return (
    <span className={styles['facts']}>
      <span className={styles['provider']}>{task.cancelRequested ? 'Canceling' : provider}</span>
      <span>
        {Math.round(task.progress * 100)} % · {Math.floor(sinceMs / 1_000)} s
      </span>
    </span>
  )
}

function DoneFacts({ task }: { task: LiveTask }) {
  const now = useNow(30_000)
  const endedAt = task.finishedAt ?? task.createdAt
  const took =
    task.finishedAt && task.startedAt ? Date.parse(task.finishedAt) - Date.parse(task.startedAt) : undefined
  return (
    <span className={styles['facts']}>
      <span
        className={styles['provider']}
        title={`${formatExactTime(endedAt)}${took === undefined ? '' : `, ${formatDuration(took)}`}`}
      >
        {formatAge(endedAt, now)}
      </span>
      <span title={formatExactMoney(task.costMicros)}>{costText(task)}</span>
    </span>
  )
}

function costText({ charged, costMicros }: LiveTask): string {
  return charged === 'NO' ? 'not charged' : formatMoney(costMicros)
}
