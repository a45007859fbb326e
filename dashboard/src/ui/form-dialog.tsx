import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { useOnline } from '../live/hooks.ts'
import parts from './parts.module.css'

interface FormDialogProps {
  title: string
  /** Text of the button that submits. */
  action: string
  isReady?: boolean
  /** The dialog closes when it resolves. A rejection is shown. */
  onSubmit: () => Promise<void>
  onClose: () => void
  children: ReactNode
}

/** A form in a dialog, open as long as it is rendered. */
export function FormDialog({ title, action, isReady = true, onSubmit, onClose, children }: FormDialogProps) {
  const isOnline = useOnline()
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!isReady || isBusy) return
    setIsBusy(true)
    setProblem(undefined)
    try {
      await onSubmit()
      onClose()
    } catch (error) {
      setProblem((error as Error).message)
      setIsBusy(false)
    }
  }

  return (
    <OpenDialog title={title} onClose={onClose}>
      <form className={parts['form']} onSubmit={(event) => void submit(event)}>
        {children}
        {problem !== undefined && (
          <p role="alert" className={parts['problem']}>
            {problem}
          </p>
        )}
        <div className={parts['row']}>
          <button type="submit" className="button primary" disabled={!isReady || isBusy || !isOnline}>
            {action}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          {!isOnline && <span className="muted">Offline: changes wait for a network.</span>}
        </div>
      </form>
    </OpenDialog>
  )
}

interface OpenDialogProps {
  title: string
  onClose: () => void
  /** Its content is shown once: Escape does not close it. */
  isKept?: boolean
  children: ReactNode
}

/** A dialog, open as long as it is rendered. */
export function OpenDialog({ title, onClose, isKept = false, children }: OpenDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const opener = document.activeElement
    if (!dialog.current?.open) dialog.current?.showModal()
    return () => {
      if (opener instanceof HTMLElement) opener.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => isKept && event.preventDefault()}
      onClose={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      <div className={parts['form']}>
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}
