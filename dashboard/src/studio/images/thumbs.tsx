import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import styles from './thumbs.module.css'
import type { StudioForm } from '../use-studio-form.ts'

/** The images in their order, which dragging or the buttons change. The first one is edited. */
export function Thumbs({ form: { images, move, remove } }: { form: StudioForm }) {
  const [dragged, setDragged] = useState<number>()
  return (
    <ol className={styles['thumbs']} aria-label="Order of the images">
      {images.map(({ key, name, preview, size }, index) => (
        <li
          key={key}
          className={styles['thumb']}
          data-first={index === 0 || undefined}
          draggable={images.length > 1}
          onDragStart={() => setDragged(index)}
          onDragEnd={() => setDragged(undefined)}
          onDragOver={(event) => dragged !== undefined && event.preventDefault()}
          onDrop={(event) => {
            if (dragged === undefined) return
            event.preventDefault()
            event.stopPropagation()
            move(dragged, index)
            setDragged(undefined)
          }}
        >
          <span className={styles['picture']}>
            {preview === undefined ? (
              <span className={styles['address']}>{name}</span>
            ) : (
              <img src={preview} alt={`Image ${index + 1}: ${name}`} draggable={false} />
            )}
            <span className={styles['number']} aria-hidden="true">
              {index + 1}
            </span>
          </span>
          <span className={styles['tools']}>
            <button
              type="button"
              aria-label={`Move image ${index + 1} to the left`}
              disabled={index === 0}
              onClick={() => move(index, index - 1)}
            >
              <Icon name="left" size={12} />
            </button>
            <button type="button" aria-label={`Remove image ${index + 1}`} onClick={() => remove(key)}>
              <Icon name="cross" size={12} />
            </button>
            <button
              type="button"
              aria-label={`Move image ${index + 1} to the right`}
              disabled={index === images.length - 1}
              onClick={() => move(index, index + 1)}
            >
              <Icon name="right" size={12} />
            </button>
          </span>
          {size && (
            <span className={styles['size']}>
              {size.width} × {size.height}
            </span>
          )}
        </li>
      ))}
    </ol>
  )
}
