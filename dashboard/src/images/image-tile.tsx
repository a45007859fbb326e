import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { GalleryImage } from '../api/generated.ts'
import { formatExactMoney } from '../format/money.ts'
import { formatAge, formatExactTime } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { Picture } from '../ui/picture.tsx'
import tile from '../ui/tile.module.css'
import type { ImagesSearch } from './images-search.ts'
import styles from './images-page.module.css'
import { costText, nameOf } from './texts.ts'

interface ImageTileProps {
  image: GalleryImage
  search: ImagesSearch
  tabIndex: 0 | -1
  isChosen: boolean
  onToggle: (id: string) => void
  onExpire: (id: string) => void
}

export const ImageTile = memo(function ImageTile(props: ImageTileProps) {
  const { image, search, tabIndex, isChosen, onToggle, onExpire } = props
  const { may } = useSession()
  const now = useNow(30_000)
  const { id, kind, task, width, height, createdAt } = image
  return (
    <div className={tile['cell']} data-chosen={isChosen || undefined}>
      <Link
        to="/images/$id"
        params={{ id }}
        search={search}
        className={tile['tile']}
        data-image={id}
        tabIndex={tabIndex}
        preload={false}
        onKeyDown={(event) => {
          if (event.key !== ' ') return
          event.preventDefault()
          onToggle(id)
        }}
      >
        <span className={tile['picture']}>
          <Picture
            image={image}
            alt={kind === 'INPUT' ? `Uploaded for: ${task.prompt}` : task.prompt}
            sizes="(max-width: 720px) 50vw, 320px"
            onFail={() => onExpire(id)}
          />
        </span>
        <span className={tile['prompt']}>{task.prompt}</span>
        <span className={tile['facts']}>
          <span className={tile['provider']} title={formatExactTime(createdAt)}>
            {kind === 'INPUT' ? 'Input' : formatAge(createdAt, now)}
          </span>
          {kind === 'FINAL' ? (
            <span title={formatExactMoney(image.costMicros)}>{costText(image)}</span>
          ) : (
            <span>
              {width} × {height}
            </span>
          )}
        </span>
      </Link>
      <label className={styles['check']}>
        <input
          type="checkbox"
          checked={isChosen}
          tabIndex={tabIndex}
          aria-label={`Select ${nameOf(image)}`}
          onChange={() => onToggle(id)}
        />
      </label>
      {may('GENERATE') && (
        <span className={tile['actions']}>
          <Link
            to="/studio"
            search={{ from: id }}
            title="Edit in the Studio"
            tabIndex={tabIndex}
            preload={false}
          >
            <Icon name="edit" />
            <span className="hidden">Edit: {task.prompt}</span>
          </Link>
        </span>
      )}
    </div>
  )
})
