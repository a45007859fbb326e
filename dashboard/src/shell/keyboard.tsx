import { useNavigate } from '@tanstack/react-router'
import { Fragment, useEffect, useRef, useState } from 'react'
import { sessions, useSession } from '../session/context.ts'
import * as singleKeys from '../session/single-keys.ts'
import { usePages } from './pages.ts'
import styles from './shell.module.css'

/** Between the two keys of `g l`. */
const SEQUENCE_MS = 1_500

/** Shortcuts of all pages, and the dialog that lists them. Those of one character can be switched off. */
export function Keyboard() {
  const navigate = useNavigate()
  const { viewer } = useSession()
  const pages = usePages()
  const dialog = useRef<HTMLDialogElement>(null)
  const [hasSingleKeys, setHasSingleKeys] = useState(singleKeys.hasSingleKeys)

  useEffect(() => {
    let lastKey = ''
    let lastAt = 0
    function onKey(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]')) return
      if (event.key === 'L' && event.shiftKey && !viewer.isOpen) return sessions.lock()
      if (!hasSingleKeys) return
      const isSecond = lastKey === 'g' && event.timeStamp - lastAt < SEQUENCE_MS
      lastKey = event.key
      lastAt = event.timeStamp
      const page = isSecond ? pages.find(({ key }) => key === event.key) : undefined
      if (page) void navigate({ to: page.to })
      else if (event.key === '?') dialog.current?.showModal()
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type=search]')
        if (search) event.preventDefault()
        search?.focus()
      }
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [navigate, viewer, pages, hasSingleKeys])

  function change(isOn: boolean): void {
    setHasSingleKeys(isOn)
    singleKeys.setSingleKeys(isOn)
  }

  return (
    <>
      <button
        type="button"
        className={styles['tool']}
        title="Keyboard (?)"
        aria-label="Keyboard shortcuts"
        onClick={() => dialog.current?.showModal()}
      >
        ?
      </button>
      <dialog ref={dialog} aria-labelledby="keyboard-title">
        <h2 id="keyboard-title">Keyboard</h2>
        <dl className={styles['keys']}>
          {pages.map(({ key, text }) => (
            <Fragment key={key}>
              <dt className="mono">g {key}</dt>
              <dd>{text}</dd>
            </Fragment>
          ))}
          <dt className="mono">/</dt>
          <dd>Find by words of the prompt</dd>
          <dt className="mono">← →</dt>
          <dd>Previous and next picture or preview</dd>
          <dt className="mono">j k</dt>
          <dd>Next and previous picture or task</dd>
          <dt className="mono">c</dt>
          <dd>Compare</dd>
          <dt className="mono">Space</dt>
          <dd>Select a picture of the page Images</dd>
          <dt className="mono">Esc</dt>
          <dd>Back to the list</dd>
          <dt className="mono">[ ]</dt>
          <dd>Smaller and larger brush of a mask</dd>
          {!viewer.isOpen && (
            <>
              <dt className="mono">Shift+L</dt>
              <dd>Lock all tabs</dd>
            </>
          )}
          <dt className="mono">?</dt>
          <dd>This list</dd>
        </dl>
        <label className={styles['check']}>
          <input type="checkbox" checked={hasSingleKeys} onChange={({ target }) => change(target.checked)} />
          Shortcuts of one character
        </label>
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=range]), textarea, select')
}
