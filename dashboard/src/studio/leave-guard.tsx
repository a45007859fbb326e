import { useBlocker } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import styles from './leave-guard.module.css'

/** Asks before a prompt or a mask that was not sent is lost, by a link as well as by closing the tab. */
export function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const { status, proceed, reset } = useBlocker({
    // Another model only changes the address. Another image or task replaces what is in the form.
    shouldBlockFn: ({ current, next }) =>
      isDirty &&
      (current.pathname !== next.pathname ||
        isOther(current.search, next.search, 'task') ||
        isOther(current.search, next.search, 'from')),
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  })
  useEffect(() => {
    if (status === 'blocked') dialog.current?.showModal()
    else dialog.current?.close()
  }, [status])
  return (
    <dialog ref={dialog} aria-labelledby="leave-title" onClose={() => reset?.()}>
      <h2 id="leave-title">Leave what was not sent?</h2>
      <p className={styles['text']}>The prompt or the mask of this form was not sent, and would be lost.</p>
      <div className={styles['row']}>
        <button type="button" className="button primary" onClick={() => reset?.()}>
          Stay
        </button>
        <button type="button" className="button" onClick={() => proceed?.()}>
          Leave
        </button>
      </div>
    </dialog>
  )
}

/** An image that is removed from the form leaves the address as well, which loses nothing. */
function isOther(current: object, next: object, name: 'task' | 'from'): boolean {
  const value = (next as Record<string, unknown>)[name]
  return value !== undefined && value !== (current as Record<string, unknown>)[name]
}
