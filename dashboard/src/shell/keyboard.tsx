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
  const { viewer, store } = useSession()
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
      else if (event.key === 'j' || event.key === 'k') openNeighbor(event.key === 'j' ? 1 : -1)
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type=search]')
        if (search) event.preventDefault()
        search?.focus()
      } else press(event)
    }

    /** From one task to the next one of Live. */
    function openNeighbor(step: 1 | -1): void {
      const [, id] = /\/tasks\/(task_\w+)$/.exec(location.pathname) ?? []
      const ids = store.listed()
      const index = id === undefined ? -1 : ids.indexOf(id)
      const next = index === -1 ? undefined : ids[index + step]
      if (next !== undefined) void navigate({ to: '/tasks/$id', params: { id: next } })
    }

    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [navigate, viewer, pages, hasSingleKeys, store])

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
          <dt className="mono">j k</dt>
          <dd>Next and previous task, attempt or picture</dd>
          <dt className="mono">c</dt>
          <dd>Compare the picture</dd>
          <dt className="mono">Space</dt>
          <dd>Hold new tasks back, and go on; select a picture</dd>
          <dt className="mono">← → ↑ ↓</dt>
          <dd>Move in a grid, a table, or through previews</dd>
          <dt className="mono">Esc</dt>
          <dd>Back to the list</dd>
          <dt className="mono">Ctrl+Enter</dt>
          <dd>Generate</dd>
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

/** Presses the button or link of the page that has this shortcut: that of the focused tile, else the first one. */
function press(event: KeyboardEvent): void {
  const name = event.key === ' ' ? 'Space' : event.key
  if (!/^(?:[a-z]|Space)$/.test(name)) return
  const target = event.target as Element
  if (name === 'Space' && target.matches('button, summary, input, [role=slider]')) return
  const selector = `[data-shortcut="${name}"]`
  const row = target.closest('[data-roving]')
  const found =
    row?.querySelector<HTMLElement>(selector) ??
    document.querySelector<HTMLElement>(`${selector}:not([data-roving] *)`)
  if (!found) return
  event.preventDefault()
  found.click()
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=range]), textarea, select')
}
