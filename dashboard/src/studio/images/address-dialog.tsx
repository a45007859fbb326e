import { useEffect, useRef, useState } from 'react'
import styles from './dialogs.module.css'

interface AddressDialogProps {
  onClose: () => void
  /** Returns what is wrong with the address. */
  onAdd: (url: string) => string | undefined
}

/** The server reads the image, not this page. */
export function AddressDialog({ onClose, onAdd }: AddressDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string>()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="address-title" onClose={onClose}>
      <form
        className={styles['form']}
        onSubmit={(event) => {
          event.preventDefault()
          const found = onAdd(text.trim())
          if (found === undefined) dialog.current?.close()
          else setProblem(`${text.trim() || 'An empty text'} ${found}.`)
        }}
      >
        <h2 id="address-title">Image at an address</h2>
        <p className="muted">The server reads it before it calls the provider. The address must be public.</p>
        <input
          className="field"
          type="text"
          inputMode="url"
          aria-label="Address of the image"
          aria-invalid={problem !== undefined}
          placeholder="https://example.com/picture.png"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        {problem !== undefined && (
          <p role="alert" className={styles['problem']}>
            {problem}
          </p>
        )}
        <div className={styles['row']}>
          <button type="submit" className="button primary">
            Add
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  )
}
