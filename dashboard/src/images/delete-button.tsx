import { useRef, useState, type FormEvent } from 'react'
import { DeleteImage, type GalleryImage } from '../api/generated.ts'
import { DarkroomError } from '../api/connection.ts'
import { useOnline } from '../live/hooks.ts'
import { isRunning } from '../live/task-store.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import { forgetImages } from './use-gallery.ts'
import styles from './delete-button.module.css'

interface DeleteButtonProps {
  images: readonly GalleryImage[]
  /** `rest`: how many could not be deleted. */
  onDelete: (rest: number) => void
}

/** Above this number, it must be typed. */
const MAX_UNTYPED = 10

/** Deletes pictures after a question. Nothing without the right. */
export function DeleteButton({ images, onDelete }: DeleteButtonProps) {
  const session = useSession()
  const isOnline = useOnline()
  const dialog = useRef<HTMLDialogElement>(null)
  const [typed, setTyped] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problems, setProblems] = useState<readonly string[]>([])
  if (!session.may('GENERATE')) return null
  const count = images.length
  const isTyped = count <= MAX_UNTYPED || typed.trim() === String(count)
  const isUnfinished = images.some(({ task }) => isRunning(task))
  const reason = isOnline
    ? isUnfinished
      ? 'A task of a picture has not ended'
      : undefined
    : 'The browser is offline'

  async function remove(): Promise<void> {
    setIsBusy(true)
    const found: string[] = []
    for (const { id } of images) {
      try {
        await session.connection.change(DeleteImage, { id }, true)
      } catch (error) {
        // It was deleted elsewhere.
        if (error instanceof DarkroomError && error.code === 'NOT_FOUND') {
          forgetImages(session, [id])
          continue
        }
        found.push((error as Error).message)
        continue
      }
      forgetImages(session, [id])
    }
    setIsBusy(false)
    setProblems(found)
    if (found.length === 0) dialog.current?.close()
    onDelete(found.length)
  }

  return (
    <>
      <button
        type="button"
        className="button"
        disabled={reason !== undefined}
        title={reason}
        onClick={() => dialog.current?.showModal()}
      >
        <Icon name="trash" /> Delete
      </button>
      <dialog
        ref={dialog}
        aria-labelledby="delete-title"
        onClose={() => {
          setTyped('')
          setProblems([])
        }}
      >
        <form
          className={styles['form']}
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            if (isTyped && !isBusy) void remove()
          }}
        >
          <h2 id="delete-title">{count === 1 ? 'Delete this picture?' : `Delete ${count} pictures?`}</h2>
          <p>
            {count === 1 ? 'Its file is' : 'Their files are'} removed within a minute and cannot be restored.
            Costs stay in all reports. Tasks that began with {count === 1 ? 'it' : 'them'} keep a copy.
          </p>
          {count > MAX_UNTYPED && (
            <label className="label">
              Type {count} to confirm
              <input
                className="field"
                inputMode="numeric"
                value={typed}
                onChange={({ target }) => setTyped(target.value)}
              />
            </label>
          )}
          {problems.length > 0 && (
            <ul className={styles['problems']} role="alert">
              {[...new Set(problems)].map((message) => (
                <li key={message}>{message}</li>
              ))}
            </ul>
          )}
          <div className={styles['row']}>
            <button type="submit" className="button primary" disabled={!isTyped || isBusy}>
              {isBusy ? 'Deleting' : 'Delete'}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Keep
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}
