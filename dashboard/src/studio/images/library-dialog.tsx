import { useCallback, useEffect, useRef, useState } from 'react'
import { ListImages, type StudioImage } from '../../api/generated.ts'
import { useSession } from '../../session/context.ts'
import { Picture } from '../../ui/picture.tsx'
import { Problem } from '../../ui/problem.tsx'
import styles from './dialogs.module.css'

interface LibraryDialogProps {
  /** How many more may be chosen. */
  max: number
  onClose: () => void
  onChoose: (images: readonly StudioImage[]) => void
}

const PAGE_SIZE = 48

/** Results and earlier inputs of the project, newest first. */
export function LibraryDialog({ max, onClose, onChoose }: LibraryDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [chosen, setChosen] = useState<readonly StudioImage[]>([])
  const { images, hasMore, error, isReading, readMore } = useImages()
  useEffect(() => dialog.current?.showModal(), [])

  function toggle(image: StudioImage): void {
    const rest = chosen.filter(({ id }) => id !== image.id)
    if (rest.length < chosen.length) setChosen(rest)
    else setChosen(max === 1 ? [image] : [...chosen, image].slice(0, max))
  }

  return (
    <dialog ref={dialog} className={styles['library']} aria-labelledby="library-title" onClose={onClose}>
      <div className={styles['frame']}>
        <header className={styles['head']}>
          <h2 id="library-title">From library</h2>
          <span className="muted">{max === 1 ? 'Choose one image' : `Choose up to ${max} images`}</span>
        </header>
        <div className={styles['images']}>
          {images.map((image) => {
            const position = chosen.findIndex(({ id }) => id === image.id)
            return (
              <button
                key={image.id}
                type="button"
                className={styles['image']}
                aria-pressed={position !== -1}
                onClick={() => toggle(image)}
              >
                <Picture image={image} alt={`${image.width} × ${image.height}, ${image.id}`} sizes="140px" />
                {position !== -1 && (
                  <span className={styles['tick']} aria-hidden="true">
                    {position + 1}
                  </span>
                )}
              </button>
            )
          })}
          {images.length === 0 && !isReading && !error && (
            <p className={styles['note']}>There is no picture yet. Generate the first one.</p>
          )}
          {isReading && images.length === 0 && <p className={styles['note']}>Reading the pictures</p>}
          {error && (
            <div className={styles['note']}>
              <Problem error={error} onRetry={readMore} />
            </div>
          )}
          {hasMore && (
            <button
              type="button"
              className={`button ${styles['more']}`}
              disabled={isReading}
              onClick={readMore}
            >
              Older pictures
            </button>
          )}
        </div>
        <footer className={styles['foot']}>
          <p className="muted" role="status">
            {chosen.length} chosen
          </p>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="button"
            className="button primary"
            disabled={chosen.length === 0}
            onClick={() => {
              onChoose(chosen)
              dialog.current?.close()
            }}
          >
            Add
          </button>
        </footer>
      </div>
    </dialog>
  )
}

function useImages() {
  const { connection } = useSession()
  const [images, setImages] = useState<readonly StudioImage[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [error, setError] = useState<Error>()
  const [isReading, setIsReading] = useState(true)
  const read = useCallback(
    async (cursor: string | null) => {
      setIsReading(true)
      setError(undefined)
      try {
        const filter = { kinds: ['FINAL' as const, 'INPUT' as const] }
        const variables = { first: PAGE_SIZE, filter, ...(cursor !== null && { after: cursor }) }
        const { nodes, pageInfo } = await connection.read(ListImages, variables)
        setImages((last) => (cursor === null ? nodes : [...last, ...nodes]))
        setAfter(pageInfo.hasNextPage ? pageInfo.endCursor : null)
      } catch (problem) {
        setError(problem as Error)
      } finally {
        setIsReading(false)
      }
    },
    [connection],
  )
  useEffect(() => {
    void read(null)
  }, [read])
  return { images, hasMore: after !== null, error, isReading, readMore: () => void read(after) }
}
