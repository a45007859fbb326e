import { Link } from '@tanstack/react-router'
import type { ComparedImage } from '../api/generated.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { formatExactTime } from '../format/time.ts'
import { Picture } from '../ui/picture.tsx'
import styles from './compare-page.module.css'

const KINDS: Readonly<Record<ComparedImage['kind'], string>> = {
  FINAL: 'result',
  PARTIAL: 'preview',
  INPUT: 'uploaded',
  MASK: 'mask',
  MARKUP: 'markup',
}

interface CaptionProps {
  image: ComparedImage
  name: string
  /** Undefined if it is the only one. */
  onRemove: (() => void) | undefined
}

export function Caption({ image, name, onRemove }: CaptionProps) {
  const { task, kind, width, height, byteSize } = image
  const isResult = kind === 'FINAL'
  return (
    <div className={styles['caption']}>
      {onRemove ? (
        <span className={styles['name']} aria-hidden="true">
          {name}
        </span>
      ) : (
        <span className={styles['picture']}>
          <Picture image={image} alt={task.prompt} sizes="160px" />
        </span>
      )}
      <div className={styles['facts']}>
        <Link to="/tasks/$id" params={{ id: task.id }}>
          {task.prompt}
        </Link>
        <p className="muted">
          {KINDS[kind]} · {task.model} · {width} × {height} · {formatBytes(byteSize)}
        </p>
        <p className="muted">
          {formatExactTime(task.createdAt)}
          {isResult && (
            <span title={formatExactMoney(task.costMicros)}>
              {' · '}
              {task.charged === 'NO' ? 'not charged' : formatMoney(task.costMicros)}
            </span>
          )}
        </p>
        {onRemove && (
          <button type="button" className={styles['other']} onClick={onRemove}>
            Choose another
          </button>
        )}
      </div>
    </div>
  )
}
