import { useRef, type ReactNode } from 'react'
import { Icon } from '../ui/icon.tsx'
import styles from './settings-sheet.module.css'
import type { StudioSettings } from './settings.ts'
import { wordOf } from './words.ts'

/** On narrow screens the settings are in a sheet over the page. */
export function SettingsSheet({ settings, children }: { settings: StudioSettings; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const { model, size, quality, n } = settings
  const summary = [
    model,
    size === 'auto' ? 'auto size' : wordOf(size),
    quality === 'AUTO' ? 'auto quality' : wordOf(quality),
    ...(n > 1 ? [`${n} pictures`] : []),
  ]
  return (
    <>
      <button type="button" className={styles['open']} onClick={() => dialog.current?.showModal()}>
        <Icon name="sliders" size={18} />
        <span>
          <strong>Settings</strong>
          <span className={styles['summary']}>{summary.join(' · ')}</span>
        </span>
        <Icon name="right" />
      </button>
      <dialog ref={dialog} className={styles['sheet']} aria-label="Settings">
        <header className={styles['head']}>
          <h2>Settings</h2>
          <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
            Done
          </button>
        </header>
        <div className={styles['body']}>{children}</div>
      </dialog>
    </>
  )
}
