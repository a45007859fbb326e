import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { Picture as PictureData, TaskDetail } from '../api/generated.ts'
import { formatOffset } from '../format/time.ts'
import { isRunning } from '../live/task-store.ts'
import detail from '../ui/detail.module.css'
import { Picture } from '../ui/picture.tsx'
import styles from './development.module.css'

interface Stage {
  image: PictureData
  label: string
  offset: string
}

/** The picture of a task with its history: a slider over the previews and the result, and the other results. */
export function Development({ task }: { task: TaskDetail }) {
  const { img = 0 } = useSearch({ from: '/tasks/$id' })
  const navigate = useNavigate({ from: '/tasks/$id' })
  const stages = stagesOf(task, img)
  /** Undefined follows the newest stage. */
  const [chosen, setChosen] = useState<number>()
  const last = stages.length - 1
  const index = Math.min(chosen ?? last, last)
  const stage = stages[index]
  const shape = shapeOf(task, stage?.image)
  if (!stage && !isRunning(task)) return <p className={styles['none']}>There is no picture of this task.</p>

  return (
    <div className={styles['development']}>
      <div
        className={detail['stage']}
        style={{ aspectRatio: shape, width: `min(100%, (100dvh - 240px) * ${shape})` }}
      >
        <Picture
          key={`${task.id} ${img}`}
          image={stage?.image}
          alt={task.prompt}
          sizes="(max-width: 1000px) 100vw, 900px"
          isRunning={isRunning(task)}
          fit="contain"
        />
      </div>
      {stages.length > 1 && (
        <div className={styles['slider']}>
          <input
            type="range"
            min={0}
            max={last}
            step={1}
            value={index}
            aria-label="Previews and result"
            aria-valuetext={`${stage?.label}, ${stage?.offset}`}
            onChange={({ target }) => {
              const next = Number(target.value)
              setChosen(next === last ? undefined : next)
            }}
          />
          <div className={styles['ticks']} aria-hidden="true">
            {stages.map(({ label, offset }, position) => (
              <button
                key={label}
                type="button"
                tabIndex={-1}
                data-current={position === index || undefined}
                onClick={() => setChosen(position === last ? undefined : position)}
              >
                <span>{label}</span>
                <span className={styles['offset']}>{offset}</span>
              </button>
            ))}
          </div>
        </div>
      )}
      {task.images.length > 1 && (
        <div className={styles['strip']}>
          {task.images.map((image, position) => (
            <button
              key={image.id}
              type="button"
              aria-label={`Picture ${position + 1} of ${task.images.length}`}
              aria-pressed={position === img}
              onClick={() => {
                setChosen(undefined)
                void navigate({
                  search: (search) => ({ ...search, img: position === 0 ? undefined : position }),
                  replace: true,
                  resetScroll: false,
                })
              }}
            >
              <Picture image={image} alt="" sizes="96px" />
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

/** Previews belong to the first result. */
function stagesOf(task: TaskDetail, img: number): Stage[] {
  const start = task.startedAt ?? task.createdAt
  const previews = (img === 0 ? task.partialImages : []).map(({ image, index, at }) => ({
    image,
    label: `Preview ${index + 1}`,
    offset: formatOffset(start, at),
  }))
  const result = task.images[img]
  if (!result) return previews
  return [
    ...previews,
    { image: result, label: 'Result', offset: formatOffset(start, task.finishedAt ?? start) },
  ]
}

/** Width by height, also before the first picture: the layout does not move when it arrives. */
function shapeOf(task: TaskDetail, image: PictureData | undefined): number {
  if (image) return image.width / image.height
  const size = task.resolvedSettings?.size ?? task.size
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? []
  return width && height ? Number(width) / Number(height) : 1
}
